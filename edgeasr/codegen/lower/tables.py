"""Operations on single bytes, lowered to a table of 256 results computed at export.

RELU, RELU6, LEAKY_RELU, LOGISTIC, TANH, and QUANTIZE from one byte to another. Each table entry
is what TFLite-Micro's reference kernel computes for that byte.
"""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from edgeasr.codegen import fixedpoint
from edgeasr.codegen.call import Array, KernelCall, Value
from edgeasr.codegen.fixedpoint import divide_by_power, quantize_multiplier, scale, wrap
from edgeasr.codegen.lower.quantized import multiplier, round_away
from edgeasr.codegen.lower.view import RANGES, OpView, call, named
from edgeasr.graph import Tensor

# LOGISTIC and TANH work on inputs in Q4.27.
_INPUT_INTEGER_BITS = 4


def lookup(
    view: OpView, input_: Tensor, output: Tensor, function: Callable[[int], int]
) -> KernelCall:
    """Return a call that maps each input value by `function`, saturated to the output's type."""
    low, high = RANGES[output.dtype]
    kind = np.dtype(input_.dtype)
    values = np.arange(256, dtype=np.uint8).view(kind).tolist()
    table = np.array([min(max(function(v), low), high) for v in values], np.dtype(output.dtype))
    view.shape(output, input_.shape)
    made = call(
        "ear_lookup_u8",
        Array("table", "uint8_t", table.view(np.uint8)),
        Value(input_.elements),
        view.read(input_, as_type="uint8_t"),
        view.write(output, as_type="uint8_t"),
    )
    return replace(made, overwrites=input_.index)


def int8_pair(view: OpView) -> tuple[Tensor, Tensor]:
    view.arity(1, 1)
    return view.input(0, "int8"), view.output("int8")


def relu(view: OpView) -> KernelCall:
    input_, output = int8_pair(view)
    (scale_in, point_in), (scale_out, point_out) = map(view.quantization, (input_, output))
    factor, shift = multiplier(view, float(scale_in) / float(scale_out), "input and output")
    return lookup(
        view, input_, output,
        lambda q: max(point_out, wrap(point_out + scale(q - point_in, factor, shift))),
    )  # fmt: skip


def relu6(view: OpView) -> KernelCall:
    """RELU6 clamps in the input's quantization and does not rescale, whatever the output says."""
    input_, output = int8_pair(view)
    scale_in, point_in = view.quantization(input_)
    view.quantization(output)
    with np.errstate(over="ignore"):
        six = point_in + round_away(float(min(np.float32(6.0) / scale_in, np.float32(1e6))))
    upper = min(six, 127)
    return lookup(view, input_, output, lambda q: min(max(q, point_in), upper))


def leaky_relu(view: OpView) -> KernelCall:
    input_, output = int8_pair(view)
    (scale_in, point_in), (scale_out, point_out) = map(view.quantization, (input_, output))
    identity = float(scale_in) / float(scale_out)
    slope = float(scale_in) * float(view.real("alpha")) / float(scale_out)
    factor, shift = multiplier(view, identity, "input and output")
    slope_factor, slope_shift = multiplier(view, abs(slope), "input, alpha and output")
    sign = -1 if slope < 0 else 1

    def value(q: int) -> int:
        x = q - point_in
        if x >= 0:
            return wrap(point_out + scale(x, factor, shift))
        return wrap(point_out + sign * scale(x, slope_factor, slope_shift))

    return lookup(view, input_, output, value)


def logistic(view: OpView) -> KernelCall:
    input_, output = int8_pair(view)
    scale_out, point_out = view.quantization(output)
    if point_out != -128:
        raise view.fail(f"{named(output)} has zero point {point_out}; it must be -128")
    if scale_out != np.float32(1 / 256):
        raise view.fail(f"{named(output)} has scale {scale_out:g}; it must be 1/256")

    def value(a: int) -> int:
        return divide_by_power(fixedpoint.logistic(a, _INPUT_INTEGER_BITS), 23) - 128

    return _saturating(view, input_, output, value)


def tanh(view: OpView) -> KernelCall:
    input_, output = int8_pair(view)
    scale_out, point_out = view.quantization(output)
    if point_out != 0:
        raise view.fail(f"{named(output)} has zero point {point_out}; it must be 0")
    if scale_out != np.float32(1 / 128):
        raise view.fail(f"{named(output)} has scale {scale_out:g}; it must be 1/128")

    def value(a: int) -> int:
        return divide_by_power(fixedpoint.tanh(a, _INPUT_INTEGER_BITS), 24)

    return _saturating(view, input_, output, value)


def _saturating(
    view: OpView, input_: Tensor, output: Tensor, function: Callable[[int], int]
) -> KernelCall:
    """Look up `function` of the input in Q4.27; inputs beyond 4 integer bits saturate."""
    scale_in, point_in = view.quantization(input_)
    real = float(scale_in) * (1 << (31 - _INPUT_INTEGER_BITS))
    if not 1.0 <= real < math.inf:
        raise view.fail(f"{named(input_)} has scale {scale_in:g}; it must be at least 2^-27")
    factor, shift = quantize_multiplier(real)
    radius = fixedpoint.input_radius(_INPUT_INTEGER_BITS, shift)

    def value(q: int) -> int:
        x = q - point_in
        if x <= -radius:
            return -128
        if x >= radius:
            return 127
        return function(scale(x, factor, shift))

    return lookup(view, input_, output, value)
