"""Functions beyond the common activations: ABS, ELU, HARD_SWISH, RSQRT on int8 by tables, ABS and
PRELU on int16, PRELU, LOG_SOFTMAX and L2_NORMALIZATION on int8.
"""

import math

import numpy as np

from edgeasr.codegen.call import Array, KernelCall, Struct
from edgeasr.codegen.fixedpoint import (
    INT32_MAX,
    divide_by_power,
    inverse_sqrt,
    quantize_multiplier,
    scale,
    wrap,
)
from edgeasr.codegen.lower.elementwise import broadcast
from edgeasr.codegen.lower.quantized import multiplier, round_away
from edgeasr.codegen.lower.softmax import MAX_DEPTH, difference_factor, exponentials
from edgeasr.codegen.lower.tables import int8_pair, lookup
from edgeasr.codegen.lower.view import RANGES, OpView, call, named
from edgeasr.codegen.lower.wide import SHORT, symmetric
from edgeasr.graph import Tensor

# Bits that RSQRT keeps below the point between its two scalings.
_RSQRT_BITS = 20
# More steps of the output than this, times 256, are no int32.
_MOST_STEPS = 1 << 22
_MOST_SCALE = 1e30
# HARD_SWISH divides 16-bit values by powers of two up to this.
_MOST_SHIFT = 14


def absolute(view: OpView) -> KernelCall:
    input_, output = int8_pair(view)
    (scale_in, point_in), (scale_out, point_out) = map(view.quantization, (input_, output))
    factor, shift = multiplier(view, float(scale_in) / float(scale_out), "input and output")
    return lookup(
        view, input_, output, lambda q: wrap(scale(abs(q - point_in), factor, shift) + point_out)
    )


def elu(view: OpView) -> KernelCall:
    """ELU in float32, as TFLite-Micro makes its table."""
    input_, output = int8_pair(view)
    (scale_in, point_in), (scale_out, point_out) = map(view.quantization, (input_, output))
    largest = max(float(scale_in), 1.0)
    if largest > _MOST_SCALE or largest / float(scale_out) > _MOST_STEPS:
        raise view.fail(
            f"the scales of input and output are {scale_in:g} and {scale_out:g}; the input's must "
            f"be at most {_MOST_SCALE:g}, and both it and 1 at most {_MOST_STEPS:,} of the output's"
        )
    inverse = np.float32(1.0) / scale_out

    def value(q: int) -> int:
        x = scale_in * np.float32(q - point_in)
        y = np.float32(math.exp(x)) - np.float32(1.0) if x < 0 else x
        return round_away(float(y * inverse)) + point_out

    return lookup(view, input_, output, value)


def rsqrt(view: OpView) -> KernelCall:
    """RSQRT; negative inputs, on which TFLite-Micro stops, must be impossible."""
    input_, output = int8_pair(view)
    (scale_in, point_in), (scale_out, point_out) = map(view.quantization, (input_, output))
    if point_in != -128:
        raise view.fail(
            f"{named(input_)} has zero point {point_in}; it must be -128, so that no input is "
            "negative"
        )
    real = 1.0 / (float(np.sqrt(scale_in)) * float(scale_out))
    factor, shift = multiplier(view, real, "input and output")

    def value(q: int) -> int:
        x = q - point_in
        if x == 0:
            return 127
        root, root_shift = inverse_sqrt(x)
        data = scale(1, root, root_shift + _RSQRT_BITS)
        return wrap(scale(data, factor, shift - _RSQRT_BITS) + point_out)

    return lookup(view, input_, output, value)


def hard_swish(view: OpView) -> KernelCall:
    """x * relu6(x + 3) / 6 in 16-bit steps."""
    input_, output = int8_pair(view)
    (scale_in, point_in), (scale_out, point_out) = map(view.quantization, (input_, output))
    fine = scale_in / np.float32(128)
    outer = quantize_multiplier(float(fine) / float(scale_out))
    inner = quantize_multiplier(float(fine) / float(np.float32(3.0 / 32768.0)))
    if not -_MOST_SHIFT <= outer[1] <= 0 or not -_MOST_SHIFT <= inner[1] <= 31:
        raise view.fail(
            f"the scales of input and output are {scale_in:g} and {scale_out:g}; the input's must "
            "be 2^-20 to 2^18, the output's at least 1/128 of it and at most 128 times it"
        )

    def value(q: int) -> int:
        x = (q - point_in) * 128
        unscaled = _high16(x, _narrow(outer[0]))
        gate = (_gate(x, *inner) + (1 << 15)) >> 1
        product = gate * abs(unscaled) >> 15  # towards zero
        return divide_by_power(product if x >= 0 else -product, -outer[1]) + point_out

    return lookup(view, input_, output, value)


def _gate(x: int, factor: int, shift: int) -> int:
    """Return x scaled so that 3.0 is 2^15, saturated: relu6(x + 3) / 6, but for an offset."""
    if shift > 0:
        x = _int16(x << (shift - 1))
    x = _high16(x, _narrow(factor))
    return _int16(x << 1) if shift > 0 else divide_by_power(x, -shift)


def _int16(x: int) -> int:
    low, high = RANGES["int16"]
    return min(max(x, low), high)


def _high16(a: int, b: int) -> int:
    """Return a * b / 2^15, rounded half up."""
    return _int16((a * b + (1 << 14)) >> 15)


def _narrow(factor: int) -> int:
    """Return the upper 16 bits of a multiplier, rounded."""
    return min((factor + (1 << 15)) >> 16, 0x7FFF)


def prelu(view: OpView) -> KernelCall:
    """PRELU: the slopes of negative values are int8, and broadcast."""
    view.arity(2, 2)
    input_, alpha = view.input(0, "int8", "int16"), view.input(1, "int8")
    output = view.output(input_.dtype)
    symmetric(view, input_, output)
    (scale_in, point_in), (scale_alpha, point_alpha) = map(view.quantization, (input_, alpha))
    scale_out, point_out = view.quantization(output)
    real = float(scale_in) / float(scale_out)
    above = multiplier(view, real, "input and output")
    below = multiplier(
        view,
        float(scale_in) * float(scale_alpha) / float(scale_out),
        "input, alpha and output",
    )
    params = Struct(
        "params",
        "ear_prelu_t",
        {
            "input_offset": -point_in,
            "alpha_offset": -point_alpha,
            "output_offset": point_out,
            "multiplier": above[0],
            "shift": above[1],
            "below_multiplier": below[0],
            "below_shift": below[1],
        },
    )
    return call(
        f"ear_prelu_{SHORT[input_.dtype]}",
        params,
        broadcast(view, input_, alpha, output),
        view.read(input_),
        view.read(alpha, "alpha"),
        view.write(output),
    )


def log_softmax(view: OpView) -> KernelCall:
    input_, output, rows, depth = _rows(view)
    if depth >= MAX_DEPTH:
        raise view.fail(f"{named(input_)} has {depth} classes; at most {MAX_DEPTH - 1}")
    _check_output(view, output, 1 / 16, 127)
    exps = exponentials(view, input_, np.float32(1.0))
    factor, shift = difference_factor(view, input_, np.float32(1.0))
    back = (1 << (31 - shift)) / factor
    back_factor, back_shift = quantize_multiplier(back)
    params = Struct(
        "params",
        "ear_log_softmax_t",
        {
            "exps": Array("exps", "int32_t", exps),
            "count": len(exps),
            "multiplier": factor,
            "shift": shift,
            "back_multiplier": back_factor,
            "back_shift": back_shift,
            "rows": rows,
            "depth": depth,
        },
    )
    return call("ear_log_softmax_s8", params, view.read(input_), view.write(output))


def l2_normalization(view: OpView) -> KernelCall:
    """L2_NORMALIZATION of each row."""
    input_, output, rows, depth = _rows(view)
    view.choice("fused_activation_function", "NONE")
    _check_output(view, output, 1 / 128, 0)
    point = view.quantization(input_)[1]
    reach = max(127 - point, point + 128) ** 2
    if depth * reach > INT32_MAX:
        raise view.fail(f"sums {depth:,} squares; at most {INT32_MAX // reach:,} fit 32 bits")
    fields = {"input_offset": -point, "rows": rows, "depth": depth}
    params = Struct("params", "ear_l2_normalization_t", fields)
    return call("ear_l2_normalization_s8", params, view.read(input_), view.write(output))


def _rows(view: OpView) -> tuple[Tensor, Tensor, int, int]:
    input_, output = int8_pair(view)
    view.shape(output, input_.shape)
    depth = input_.shape[-1] if input_.shape else 1
    return input_, output, input_.elements // depth, depth


def _check_output(view: OpView, output: Tensor, wanted: float, wanted_point: int) -> None:
    found, point = view.quantization(output)
    if found != np.float32(wanted) or point != wanted_point:
        raise view.fail(
            f"{named(output)} has scale {found:g} and zero point {point}; they must be {wanted:g} "
            f"and {wanted_point}"
        )
