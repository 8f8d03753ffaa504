"""Multiply-accumulates of an operation: one for each weight that each output element uses."""

import math
from collections.abc import Callable, Mapping

import numpy as np

from edgeasr.graph import Graph, Op


def macs(graph: Graph, op: Op) -> int:
    """Return the multiply-accumulates of one inference; 0 for operations that sum no products.

    Taps that fall in the padding count too, as is usual. An operation whose tensors cannot be its
    own has none: lowering says what is wrong with it.
    """
    count = _COUNTS.get(op.kind)
    try:
        return count(graph, op) if count else 0
    except (IndexError, ValueError):
        return 0


def _shape(graph: Graph, op: Op, position: int) -> tuple[int, ...]:
    return graph.tensor(op.inputs[position]).shape


def _outputs(graph: Graph, op: Op) -> int:
    return graph.tensor(op.outputs[0]).elements


def _dense(graph: Graph, op: Op) -> int:
    return _outputs(graph, op) * math.prod(_shape(graph, op, 1)[1:])


def _depthwise(graph: Graph, op: Op) -> int:
    return _outputs(graph, op) * math.prod(_shape(graph, op, 1)[1:3])


def _transposed(graph: Graph, op: Op) -> int:
    channels, rows, columns, _ = _shape(graph, op, 1)
    return graph.tensor(op.inputs[2]).elements * rows * columns * channels


def _svdf(graph: Graph, op: Op) -> int:
    """Each filter: its features of a frame, then its memory."""
    batch = _shape(graph, op, 0)[0]
    return batch * sum(graph.tensor(op.inputs[i]).elements for i in (1, 2))


def _lstm(graph: Graph, op: Op) -> int:
    """Each step: four gates, of the input and of the hidden state."""
    steps = math.prod(_shape(graph, op, 0)[:-1])
    weights = sum(graph.tensor(i).elements for i in op.inputs[1:9] if i >= 0)
    return steps * weights


def _matmul(graph: Graph, op: Op) -> int:
    left = _shape(graph, op, 0)
    return _outputs(graph, op) * left[-2 if op.options.get("adj_x") else -1]


_COUNTS: Mapping[str, Callable[[Graph, Op], int]] = {
    "BATCH_MATMUL": _matmul,
    "CONV_2D": _dense,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _dense,
    "SVDF": _svdf,
    "TRANSPOSE_CONV": _transposed,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _lstm,
}


def inside(graph: Graph, op: Op) -> tuple[float, float]:
    """Return which share of a filter's rows, and of its columns, meets the input and not padding.

    Averages over the outputs of a convolution, in (0, 1]; (1, 1) for anything else. Their product
    times the multiply-accumulates is what the kernels of the `ear` engine do.
    """
    if op.kind not in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        return 1.0, 1.0
    sizes = graph.tensor(op.inputs[0]).shape[1:3]
    taps = graph.tensor(op.inputs[1]).shape[1:3]
    counts = graph.tensor(op.outputs[0]).shape[1:3]
    rows, columns = (
        _inside_axis(op, axis, *numbers)
        for axis, numbers in zip("hw", zip(sizes, taps, counts, strict=True), strict=True)
    )
    return rows, columns


def _inside_axis(op: Op, axis: str, size: int, taps: int, count: int) -> float:
    stride = int(op.options[f"stride_{axis}"])
    dilation = int(op.options.get(f"dilation_{axis}_factor", 1))
    reach = (taps - 1) * dilation + 1
    before = 0
    if op.options["padding"] == "SAME":
        before = max((count - 1) * stride + reach - size, 0) // 2
    places = np.arange(count)[:, np.newaxis] * stride - before + np.arange(taps) * dilation
    return float(np.mean((places >= 0) & (places < size)))
