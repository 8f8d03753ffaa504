"""What TFLite-Micro's reference kernels give for a graph."""

from collections.abc import Sequence

import numpy as np

from edgeasr.graph import Graph
from tests.vectors.kernels.building import Case
from tests.vectors.kernels.tflite_builder import serialize

Outputs = tuple[np.ndarray, ...]


def tflm(graph: Graph, inputs: Sequence[np.ndarray]) -> np.ndarray:
    """Return the first output for these inputs, in the order of the graph's inputs."""
    return _outputs(_interpreter(graph), graph, inputs)[0]


def expected(case: Case) -> tuple[Outputs, ...]:
    """Return all outputs of each invocation of a case, which follow each other on one state."""
    interpreter = _interpreter(case.graph)
    return tuple(_outputs(interpreter, case.graph, inputs) for inputs in case.steps)


def _interpreter(graph: Graph) -> object:
    from tflite_micro import runtime

    content = serialize(graph)
    return runtime.Interpreter.from_bytes(
        content,
        arena_size=(1 << 16)
        + 16 * len(content)
        + 32 * sum(t.bytes for t in graph.tensors if t.data is None),
    )


def _outputs(interpreter: object, graph: Graph, inputs: Sequence[np.ndarray]) -> Outputs:
    for i, values in enumerate(inputs):
        interpreter.set_input(values, i)
    interpreter.invoke()
    return tuple(interpreter.get_output(i) for i in range(len(graph.outputs)))
