"""What TFLite-Micro's reference kernels give for a graph."""

from collections.abc import Sequence

import numpy as np

from edgeasr.graph import Graph
from tests.vectors.kernels.tflite_builder import serialize


def tflm(graph: Graph, inputs: Sequence[np.ndarray]) -> np.ndarray:
    """Return the first output for these inputs, in the order of the graph's inputs."""
    from tflite_micro import runtime

    content = serialize(graph)
    interpreter = runtime.Interpreter.from_bytes(
        content,
        arena_size=(1 << 16)
        + 16 * len(content)
        + 32 * sum(t.bytes for t in graph.tensors if t.data is None),
    )
    for i, values in enumerate(inputs):
        interpreter.set_input(values, i)
    interpreter.invoke()
    return interpreter.get_output(0)
