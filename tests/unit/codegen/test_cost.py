"""Estimates of instructions: what they count, and which way they go. tests/sim has their truth."""

import numpy as np
import pytest

from edgeasr.codegen import cost, macs
from edgeasr.codegen.packing import pack, pack_raw
from edgeasr.codegen.packing.linking import CODE_BYTES
from edgeasr.graph import Graph, Op, Tensor


def _convolution(padding: str, size: int, taps: int, stride: int, out: int) -> Graph:
    """One 2D convolution along the width only, one channel in and out."""
    tensors = (
        Tensor(0, "x", (1, 1, size, 1), "int8"),
        Tensor(1, "w", (1, 1, taps, 1), "int8", np.ones((1, 1, taps, 1), np.int8)),
        Tensor(2, "y", (1, 1, out, 1), "int8"),
    )
    options = {
        "padding": padding, "stride_h": 1, "stride_w": stride,
        "dilation_h_factor": 1, "dilation_w_factor": 1,
    }  # fmt: skip
    return Graph("main", tensors, (Op(0, "CONV_2D", (0, 1), (2,), options),), (0,), (2,))


@pytest.mark.parametrize(
    ("padding", "size", "taps", "stride", "out", "share"),
    [
        ("VALID", 8, 3, 1, 6, 1.0),
        ("SAME", 4, 3, 1, 4, 10 / 12),  # the first and the last output miss a tap each
        ("SAME", 4, 3, 2, 2, 5 / 6),  # the odd element of padding lies behind
        ("SAME", 1, 5, 1, 1, 1 / 5),
    ],
)
def test_taps_in_the_padding_are_no_work(
    padding: str, size: int, taps: int, stride: int, out: int, share: float
) -> None:
    graph = _convolution(padding, size, taps, stride, out)

    assert macs.inside(graph, graph.ops[0]) == (1.0, pytest.approx(share))


def test_other_layers_have_no_padding() -> None:
    tensors = (Tensor(0, "x", (1, 4), "int8"), Tensor(1, "w", (2, 4), "int8"))
    graph = Graph("main", tensors, (Op(0, "FULLY_CONNECTED", (0, 1), (0,)),), (0,), (0,))

    assert macs.inside(graph, graph.ops[0]) == (1.0, 1.0)


def test_every_unpacker_has_a_cost() -> None:
    assert cost.UNPACKING.keys() == CODE_BYTES.keys()


def test_packed_weights_cost_what_unpacking_and_blocks_do() -> None:
    values = np.random.default_rng(1).integers(-7, 8, (64, 1, 1, 64)).astype(np.int8)
    raw, packed = pack_raw(values, 0), pack(values, 0)
    count = 65 * values.size

    plain = cost.instructions("CONV_2D", count, raw)
    more = cost.instructions("CONV_2D", count, packed) - plain

    assert count < plain < 2 * count
    assert cost.unpacking(raw) == 0
    assert cost.unpacking(packed) < more < 0.2 * plain


def test_padding_left_out_costs_less() -> None:
    values = np.random.default_rng(2).integers(-128, 128, (1, 3, 3, 16)).astype(np.int8)
    packed = pack_raw(values, 3)

    whole = cost.instructions("DEPTHWISE_CONV_2D", 9 * 16 * 50, packed)
    some = cost.instructions("DEPTHWISE_CONV_2D", 9 * 16 * 50, packed, inside=(0.9, 0.8))

    assert 0.6 * whole < some < whole
