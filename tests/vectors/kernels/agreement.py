"""A graph in the `ear` engine beside TFLite-Micro: every layer of many inferences must be equal."""

import numpy as np

from edgeasr.codegen.host import HostModel
from edgeasr.codegen.model import ModelCode, generate
from edgeasr.graph import Graph, parse
from edgeasr.oracle import Oracle
from tests.vectors.kernels.tflite_builder import serialize

_INFERENCES = 25
_RESETS = (7, 8, 15)


def check(graph: Graph) -> ModelCode:
    """Compare both, with resets between; int8 input. Return the generated code."""
    content = serialize(graph)
    graph = parse(content)
    code = generate(graph, name="x", labels=["a"], content=content, board="host", where="x")
    ours, reference = HostModel(code, graph), Oracle(content, graph=graph, keep_tensors=True)
    ours.reset()  # the library may have run before
    rng = np.random.default_rng(1)
    shape = graph.tensor(graph.inputs[0]).shape
    for step in range(_INFERENCES):
        if step in _RESETS:
            ours.reset()
            reference.reset()
        values = rng.integers(-128, 128, shape, np.int8)
        layers = ours.layers(values)
        reference.invoke(values)
        for layer, got in zip(code.layers, layers, strict=True):
            wanted = np.asarray(reference.tensor(layer.tensor)).reshape(got.shape)
            assert np.array_equal(got, wanted), (step, layer.op, layer.kind)
        if step % 2:  # the output itself, of an inference that nobody watched
            values = rng.integers(-128, 128, shape, np.int8)
            expected = reference.invoke(values)
            assert np.array_equal(ours.invoke(values), expected), step
    return code
