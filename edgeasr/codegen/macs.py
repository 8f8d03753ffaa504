"""Multiply-accumulates of an operation: one for each weight that each output element uses."""

import math

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
