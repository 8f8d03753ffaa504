"""UNIDIRECTIONAL_SEQUENCE_LSTM on int8 or int16, with int8 weights and a cell state of int16.

The weights of all gates become one matrix, a row for each gate of each unit: those of the inputs,
then those of the hidden values. Peepholes, projection and layer normalization are refused.
"""

from dataclasses import dataclass

import numpy as np

from edgeasr.codegen.call import Array, KernelCall, Scratch, Struct
from edgeasr.codegen.fixedpoint import INT32_MAX
from edgeasr.codegen.lower.memory import kept
from edgeasr.codegen.lower.quantized import (
    below_one,
    bias_of,
    check_accumulator,
    multiplier,
    packed_weights,
    round_away,
)
from edgeasr.codegen.lower.view import OpView, call, named
from edgeasr.codegen.lower.wide import SHORT, symmetric
from edgeasr.codegen.lower.wide_tables import sigmoid_table
from edgeasr.codegen.lower.wide_weights import MAX_SUM, rounded_once
from edgeasr.graph import Tensor

# Operands of the gates input, forget, output, cell: input weights, hidden weights, bias.
_GATES = ((1, 5, 12), (2, 6, 13), (4, 8, 15), (3, 7, 14))
_LEFT_OUT = {
    9: "a peephole", 10: "a peephole", 11: "a peephole", 16: "a projection", 17: "a projection",
    20: "layer normalization", 21: "layer normalization", 22: "layer normalization",
    23: "layer normalization",
}  # fmt: skip
_HIDDEN, _CELL = 18, 19
# Scales of what goes into the functions of the gates, and of what comes out.
_GATE_SCALE, _UNIT_SCALE = 2.0**-12, 2.0**-15
_NO_LIMIT = 1 << 15


@dataclass(frozen=True, eq=False)
class _Tensors:
    input: Tensor
    hidden: Tensor
    cell: Tensor
    output: Tensor


@dataclass(frozen=True, eq=False)
class _Gate:
    """weights: [units, inputs + units]. bias: [units]. Factors: (multiplier, shift)."""

    weights: np.ndarray
    bias: np.ndarray
    of_input: tuple[int, int]
    of_hidden: tuple[int, int]
    fits: bool


def lstm(view: OpView) -> KernelCall:
    view.arity(24, 24)
    for position, what in _LEFT_OUT.items():
        if view.op.inputs[position] != -1:
            raise view.fail(f"has {what} (input {position}); only an LSTM without it can be run")
    view.choice("fused_activation_function", "TANH")
    input_ = view.input(0, "int8", "int16")
    tensors = _Tensors(
        input_,
        view.input(_HIDDEN, input_.dtype),
        view.input(_CELL, "int16"),
        view.output(input_.dtype),
    )
    symmetric(view, input_, tensors.hidden, tensors.cell)
    sizes = _sizes(view, tensors)
    gates = [_gate(view, tensors, operands) for operands in _GATES]
    weights = packed_weights(view, np.concatenate([g.weights for g in gates]), channel_axis=0)
    bias = np.concatenate([g.bias for g in gates])
    fields = _parameters(view, tensors, gates) | sizes | {"fits": int(all(g.fits for g in gates))}
    made = call(
        f"ear_lstm_{SHORT[input_.dtype]}",
        Struct("params", "ear_lstm_t", fields),
        view.read(input_),
        weights.struct,
        Scratch(8 * sizes["units"] + weights.scratch.bytes, "int16_t"),
        Array("bias", f"{bias.dtype.name}_t", bias),
        kept(view, tensors.hidden),
        kept(view, tensors.cell),
        view.write(tensors.output),
    )
    return weights.belong_to(made)


def _sizes(view: OpView, tensors: _Tensors) -> dict[str, int]:
    *outer, inputs = view.rank(tensors.input, 3)
    time_major = view.boolean("time_major")
    steps, batches = outer if time_major else reversed(outer)
    _, units = view.rank(tensors.hidden, 2)
    view.shape(tensors.hidden, (batches, units))
    view.shape(tensors.cell, (batches, units))
    view.shape(tensors.output, (*outer, units))
    return {
        "steps": steps,
        "batches": batches,
        "time_stride": batches if time_major else 1,
        "batch_stride": 1 if time_major else steps,
        "inputs": inputs,
        "units": units,
    }


def _gate(view: OpView, tensors: _Tensors, operands: tuple[int, int, int]) -> _Gate:
    units = tensors.hidden.shape[1]
    of_input, of_hidden = view.input(operands[0], "int8"), view.input(operands[1], "int8")
    view.shape(of_input, (units, tensors.input.shape[2]))
    view.shape(of_hidden, (units, units))
    wide = tensors.input.dtype == "int16"
    bias = bias_of(view, operands[2], units, "int64" if wide else "int32")
    if bias is None:
        raise view.fail(f"bias (input {operands[2]}) is left out; it is needed")
    sums = [
        _check_sums(view, tensors.input, of_input, bias),
        _check_sums(view, tensors.hidden, of_hidden, None),
    ]
    return _Gate(
        np.concatenate([view.constant(of_input), view.constant(of_hidden)], axis=1),
        view.constant(bias).ravel(),
        _factor(view, tensors.input, of_input),
        _factor(view, tensors.hidden, of_hidden),
        max(sums) <= INT32_MAX,
    )


def _check_sums(view: OpView, values: Tensor, weights: Tensor, bias: Tensor | None) -> int:
    """Refuse sums that could overflow; return the largest of int16 without bias, 0 for int8."""
    data = view.constant(weights)
    if values.dtype == "int8":
        check_accumulator(view, data, -view.quantization(values)[1])
        return 0
    products = int(np.abs(data.astype(np.int64)).sum(axis=1).max()) << 15
    largest = max(map(abs, view.constant(bias).ravel().tolist())) if bias is not None else 0
    if products + largest > MAX_SUM:
        raise view.fail(
            f"its sums can reach {products + largest:,}; the accumulator has 48 bits and holds "
            f"{MAX_SUM:,}"
        )
    return products


def _factor(view: OpView, values: Tensor, weights: Tensor) -> tuple[int, int]:
    scale, point = view.quantization(weights)
    if point:
        raise view.fail(f"{named(weights)} has zero point {point}; it must be 0")
    what = "input or hidden state and weights"
    real = float(view.quantization(values)[0]) * float(scale) / _GATE_SCALE
    pair = multiplier(view, real, what)
    return rounded_once(view, pair, what) if values.dtype == "int16" else pair


def _parameters(view: OpView, tensors: _Tensors, gates: list[_Gate]) -> dict[str, object]:
    cell_scale = float(view.quantization(tensors.cell)[0])
    hidden_scale, hidden_point = view.quantization(tensors.hidden)
    unit = _UNIT_SCALE * _UNIT_SCALE
    forget = below_one(view, _UNIT_SCALE, "forget gate")
    cell = below_one(view, unit / cell_scale, "input gate and cell state")
    output = below_one(view, unit / float(hidden_scale), "output gate and hidden state")
    tanh = _tanh_factor(view, tensors.cell)
    return {
        "sigmoid": Array("sigmoid", "uint16_t", sigmoid_table()),
        "input_offset": -view.quantization(tensors.input)[1],
        "hidden_offset": -hidden_point,
        "input_multiplier": tuple(g.of_input[0] for g in gates),
        "input_shift": tuple(g.of_input[1] for g in gates),
        "hidden_multiplier": tuple(g.of_hidden[0] for g in gates),
        "hidden_shift": tuple(g.of_hidden[1] for g in gates),
        "forget_multiplier": forget[0],
        "forget_shift": forget[1],
        "cell_multiplier": cell[0],
        "cell_shift": cell[1],
        "output_multiplier": output[0],
        "output_shift": output[1],
        "tanh_multiplier": tanh[0],
        "tanh_shift": tanh[1],
        "cell_limit": _cell_limit(view, cell_scale),
    }


def _tanh_factor(view: OpView, cell: Tensor) -> tuple[int, int]:
    """Return (multiplier, right shift) from cell values to steps of 1/12288.

    TFLite-Micro takes the scale for the nearest power of two.
    """
    scale = view.quantization(cell)[0]
    power = 12 + round_away(float(np.log(scale) * (np.float32(1.0) / np.log(np.float32(2.0)))))
    if not -30 <= power <= 13:
        raise view.fail(f"{named(cell)} has scale {scale:g}; allowed: 2^-42 to 2")
    return (3, -power) if power < 0 else (3 << power, 0)


def _cell_limit(view: OpView, scale: float) -> int:
    clip = float(view.real("cell_clip"))
    return int(min(clip / scale, 32767.0)) if clip > 0 else _NO_LIMIT
