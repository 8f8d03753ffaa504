"""SOFTMAX from int8 to int8 or int16, with a table of exponentials computed at export."""

import math
from dataclasses import replace

import numpy as np

from edgeasr.codegen.call import Array, KernelCall, Struct
from edgeasr.codegen.fixedpoint import (
    exp_of_negative,
    input_radius,
    multiply_high,
    quantize_multiplier,
    wrap,
)
from edgeasr.codegen.lower.view import OpView, call, named
from edgeasr.graph import Tensor

# Differences to the largest input are scaled to Q5.26; sums of exponentials have Q12.19.
_DIFFERENCE_INTEGER_BITS = 5
MAX_DEPTH = 1 << 12
_OUTPUTS = {"int8": (2.0**-8, -128), "int16": (2.0**-16, -32768)}


def softmax(view: OpView) -> KernelCall:
    view.arity(1, 1)
    input_, output = view.input(0, "int8"), view.output("int8", "int16")
    view.shape(output, input_.shape)
    depth = input_.shape[-1] if input_.shape else 1
    if depth >= MAX_DEPTH:
        raise view.fail(f"{named(input_)} has {depth} classes; at most {MAX_DEPTH - 1}")
    _check_output(view, output)
    exps = exponentials(view, input_, view.real("beta"))
    params = Struct(
        "params",
        "ear_softmax_t",
        {
            "exps": Array("exps", "int32_t", exps),
            "count": len(exps),
            "rows": input_.elements // depth,
            "depth": depth,
        },
    )
    kernel = "ear_softmax_s8" if output.dtype == "int8" else "ear_softmax_s8_s16"
    made = call(kernel, params, view.read(input_), view.write(output))
    return made if output.dtype == "int16" else replace(made, overwrites=input_.index)


def _check_output(view: OpView, output: Tensor) -> None:
    wanted_scale, wanted_point = _OUTPUTS[output.dtype]
    scale, point = view.quantization(output)
    near = (
        abs(float(scale) - wanted_scale) <= (0 if output.dtype == "int8" else 1e-3) * wanted_scale
    )
    if not near or point != wanted_point:
        raise view.fail(
            f"{named(output)} has scale {scale:g} and zero point {point}; {output.dtype} "
            f"needs {wanted_scale:g} and {wanted_point}"
        )


def exponentials(view: OpView, input_: Tensor, beta: np.float32) -> np.ndarray:
    """Return e^(-d * scale * beta) in Q0.31 for each difference d that counts.

    Those too large for Q5.26 count as zero (PreprocessSoftmaxScaling, CalculateInputRadius).
    """
    factor, shift = difference_factor(view, input_, beta)
    count = min(input_radius(_DIFFERENCE_INTEGER_BITS, shift), 255) + 1
    scaled = (multiply_high(wrap(-d << shift), factor) for d in range(count))
    return np.array([exp_of_negative(a, _DIFFERENCE_INTEGER_BITS) for a in scaled], np.int32)


def difference_factor(view: OpView, input_: Tensor, beta: np.float32) -> tuple[int, int]:
    """Return (multiplier, shift) from differences of inputs, times beta, to Q5.26."""
    scale = view.quantization(input_)[0]
    real = min(float(beta) * float(scale) * (1 << (31 - _DIFFERENCE_INTEGER_BITS)), 2.0**31 - 1.0)
    if not 1.0 < real < math.inf:
        raise view.fail(
            f"{named(input_)} has scale {scale:g} and beta is {beta:g}; their product must "
            f"be above 2^-26"
        )
    return quantize_multiplier(real)
