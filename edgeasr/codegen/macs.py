"""Multiply-accumulates of an operation: one for each weight that each output element uses."""

import math

import numpy as np

from edgeasr.graph import Graph, Op


def macs(graph: Graph, op: Op) -> int:
    """Return the multiply-accumulates of one inference; 0 for operations without weights.

    Taps that fall in the padding count too, as is usual.
    """
    if op.kind not in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
        return 0
    outputs = graph.tensor(op.outputs[0]).elements
    shape = graph.tensor(op.inputs[1]).shape
    if op.kind == "DEPTHWISE_CONV_2D":
        return outputs * math.prod(shape[1:3])
    return outputs * math.prod(shape[1:])


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
