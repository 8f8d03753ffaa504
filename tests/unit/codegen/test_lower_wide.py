"""Lowering of int16 activations: tables, factors, accumulators, and what is refused of them."""

import dataclasses
import math

import numpy as np
import pytest

from edgeasr.codegen.call import KernelCall
from edgeasr.codegen.lower import lower
from edgeasr.codegen.lower.wide_tables import sigmoid_table, table
from edgeasr.errors import InputError
from edgeasr.graph import Graph, Op, Quantization, Tensor

_WINDOW = {
    "padding": "SAME", "stride_w": 1, "stride_h": 1, "dilation_w_factor": 1,
    "dilation_h_factor": 1, "fused_activation_function": "NONE",
}  # fmt: skip


def _quantized(*scales: float, point: int = 0, axis: int = 0) -> Quantization:
    return Quantization(np.array(scales, np.float32), np.full(len(scales), point, np.int32), axis)


def _graph(kind: str, tensors: list[Tensor], options: dict, changes: dict) -> Graph:
    options = options | changes.pop("options", {})
    tensors = [dataclasses.replace(t, **changes.get(t.name, {})) for t in tensors]
    op = Op(0, kind, tuple(range(len(tensors) - 1)), (len(tensors) - 1,), options)
    return Graph("main", tuple(tensors), (op,), (0,), (len(tensors) - 1,))


def _conv(**changes: object) -> Graph:
    weights = np.arange(36, dtype=np.int8).reshape(4, 3, 3, 1)
    tensors = [
        Tensor(0, "x", (1, 6, 8, 1), "int16", None, _quantized(1e-4)),
        Tensor(1, "w", (4, 3, 3, 1), "int8", weights, _quantized(0.01, 0.02, 0.03, 0.04)),
        Tensor(2, "b", (4,), "int64", np.array([1, -2, 3, 1 << 20])),
        Tensor(3, "y", (1, 6, 8, 4), "int16", None, _quantized(2e-4)),
    ]
    return _graph("CONV_2D", tensors, _WINDOW, changes)


def _depthwise(**changes: object) -> Graph:
    weights = np.ones((1, 3, 3, 4), np.int8)
    tensors = [
        Tensor(0, "x", (1, 6, 8, 4), "int16", None, _quantized(1e-4)),
        Tensor(1, "w", (1, 3, 3, 4), "int8", weights, _quantized(0.01)),
        Tensor(2, "b", (4,), "int64", np.zeros(4, np.int64)),
        Tensor(3, "y", (1, 6, 8, 4), "int16", None, _quantized(2e-4)),
    ]
    return _graph("DEPTHWISE_CONV_2D", tensors, _WINDOW | {"depth_multiplier": 1}, changes)


def _unary(kind: str, **changes: object) -> Graph:
    tensors = [
        Tensor(0, "x", (1, 8), "int16", None, _quantized(1e-3)),
        Tensor(1, "y", (1, 8), "int16", None, _quantized(2.0**-15)),
    ]
    options = {"SOFTMAX": {"beta": 1.0}, "LEAKY_RELU": {"alpha": 0.1}}.get(kind, {})
    return _graph(kind, tensors, options, changes)


def _pool(**changes: object) -> Graph:
    tensors = [
        Tensor(0, "x", (1, 300, 300, 1), "int16", None, _quantized(1e-3)),
        Tensor(1, "y", (1, 1, 1, 1), "int16", None, _quantized(1e-3)),
    ]
    options = {
        "padding": "VALID", "stride_w": 1, "stride_h": 1, "filter_height": 300,
        "filter_width": 300, "fused_activation_function": "NONE",
    }  # fmt: skip
    return _graph("AVERAGE_POOL_2D", tensors, options, changes)


def _lowered(graph: Graph) -> KernelCall:
    made = lower(graph, graph.ops[0])
    assert isinstance(made, KernelCall)
    return made


def _channels(graph: Graph) -> dict:
    return next(s for s in _lowered(graph).structs() if s.name == "channels").fields


def test_an_int64_bias_is_kept_in_32_bits_where_it_fits() -> None:
    fields = _channels(_conv())

    assert fields["bias"].values.tolist() == [1, -2, 3, 1 << 20]
    assert fields["bias_high"] is None
    # 1e-4 * 0.01 / 2e-4 = 0.005 = 0.64 * 2^-7: 15 bits of 0.64, and 15 + 7 to the right.
    assert fields["factors"].values[0] == round(0.64 * 2**15)
    assert fields["shifts"].values.tolist() == [22, 21, 21, 20]
    assert (fields["multipliers"], fields["step"], fields["fits"]) == (None, 1, 1)


def test_a_bias_beyond_32_bits_has_a_high_part() -> None:
    wide = np.array([-1, 1 << 33, -(1 << 40) + 5, 7])
    fields = _channels(_conv(b={"data": wide}))

    low = fields["bias"].values.view(np.uint32).astype(np.int64)
    assert np.array_equal((fields["bias_high"].values.astype(np.int64) << 32) + low, wide)
    assert fields["fits"] == 0


def test_an_int32_bias_keeps_the_factors_of_int8_layers() -> None:
    fields = _channels(_conv(b={"dtype": "int32", "data": np.zeros(4, np.int32)}))

    assert fields["factors"] is None
    assert fields["multipliers"].values[0] == pytest.approx(0.64 * 2**31, abs=64)
    assert fields["shifts"].values.tolist() == [-7, -6, -6, -5]


def test_sums_fit_up_to_the_last_one() -> None:
    weights = np.zeros((4, 3, 3, 1), np.int8)
    weights[0, 0, 0, 0] = 1
    most = (1 << 31) - 1 - (1 << 15)
    for bias, fits in ((most, 1), (most + 1, 0), (-most, 1), (-most - 1, 0)):
        found = _channels(_conv(w={"data": weights}, b={"data": np.array([bias, 0, 0, 0])}))
        assert found["fits"] == fits, bias


def test_large_factors_need_whole_products() -> None:
    """Below a right shift of 17 the low word counts too."""
    assert _channels(_conv(y={"quantization": _quantized(1.7e-5)}))["fits"] == 1
    assert _channels(_conv(y={"quantization": _quantized(1.5e-5)}))["fits"] == 0


def test_tables_hold_their_functions() -> None:
    exps = table(-10.0, 0.0, lambda x: np.float32(math.exp(x)))
    assert exps.shape == (513,) and exps.dtype == np.int16
    places = np.linspace(-10, 0, 513)
    assert np.abs(exps / 32768 - np.exp(places)).max() < 1e-4
    assert exps[-1] == 32767
    assert np.abs(sigmoid_table() / 65536 - 1 / (1 + np.exp(-np.arange(256) / 24))).max() < 3e-5


_WRONG = {
    "zero point": (_conv(x={"quantization": _quantized(1e-4, point=3)}),
                   'tensor "x" has zero point 3; int16 needs 0'),
    "output type": (_conv(y={"dtype": "int8"}), 'tensor "y" is int8; supported: int16'),
    "weights": (_conv(w={"dtype": "int4"}), 'tensor "w" is int4; supported: int8'),
    "bias type": (_conv(b={"dtype": "int16"}), 'tensor "b" is int16; supported: int32, int64'),
    "bias of depthwise": (_depthwise(b={"dtype": "int32"}), "is int32; supported: int64"),
    "bias length": (_conv(b={"shape": (3,), "data": np.zeros(3, np.int64)}),
                    'tensor "b" has 3 elements for 4 output channels'),
    "huge bias": (_conv(b={"data": np.array([0, 0, 0, 1 << 47])}),
                  "the accumulator has 48 bits and holds 140,737,488,355,327"),
    "least bias": (_conv(b={"data": np.array([0, 0, 0, -(1 << 63)])}), "its sums can reach 9,223,"),
    "huge factor": (_conv(y={"quantization": _quantized(1e-9)}), "it must be below 2^7"),
    "softmax output": (_unary("SOFTMAX", y={"quantization": _quantized(1e-4)}),
                       'tensor "y" has scale 0.0001; it must be 1/32768'),
    "softmax beta": (_unary("SOFTMAX", options={"beta": -1.0}), "beta is -1; it must be above 0"),
    "tanh scale": (_unary("TANH", x={"quantization": _quantized(3.0)}),
                   'tensor "x" has scale 3; allowed: 4e-14 to 2.6'),
    "slope": (_unary("RELU", x={"quantization": _quantized(2.0)}), "it must be below 2^15"),
    "sum": (_pool(), "sums 90,000 elements of int16 each; at most 65,535"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", _WRONG)
def test_what_cannot_run_is_refused_by_a_sentence(wrong: str) -> None:
    graph, sentence = _WRONG[wrong]

    with pytest.raises(InputError) as refused:
        lower(graph, graph.ops[0])

    assert sentence in str(refused.value)
