"""Functions of int16 values: SOFTMAX, LOGISTIC, TANH by tables computed at export; slopes."""

import functools
import math
from collections.abc import Callable

import numpy as np

from edgeasr.codegen.call import Array, KernelCall, Struct
from edgeasr.codegen.lower.quantized import multiplier, round_away
from edgeasr.codegen.lower.view import RANGES, OpView, call, named
from edgeasr.codegen.lower.wide import symmetric
from edgeasr.graph import Tensor

_STEPS = 512
_MAX_DEPTH = (1 << 16) - 1
_LOW, _HIGH = RANGES["int16"]
# Softmax takes e^x for 0 where x is below this.
_EXP_RANGE = 10.0
# LOGISTIC and TANH look up inputs in steps of 1/12288: 512 steps to each of 24 entries a unit.
_SIGMOID_STEPS = 4096.0 * 3.0
_MAX_FACTOR = 32767
_MAX_SLOPE_SHIFT = 15


@functools.cache
def table(low: float, high: float, function: Callable[[np.float32], np.float32]) -> np.ndarray:
    """Return `function` over [low, high] as a table of the kernels: int16 [513], Q0.15.

    Each entry is moved by half the error that interpolation has in the middle of its step
    (TFLite's LUTPopulate; all values are float32).
    """
    start, step = np.float32(low), np.float32(high - low) / np.float32(_STEPS)
    one = np.float32(1 << 15)

    def at(place: float) -> np.float32:
        return function(start + np.float32(place) * step) * one

    entries = []
    for i in range(_STEPS):
        here = round_away(float(at(i)))
        middle = round_away(float((at(i + 1) + np.float32(here)) / np.float32(2)))
        error = middle - round_away(float(at(i + 0.5)))
        entries.append(here - round_away(error / 2))
    entries.append(round_away(float(at(_STEPS))))
    return np.clip(entries, _LOW, _HIGH).astype(np.int16)


def _exponential(x: np.float32) -> np.float32:
    return np.float32(math.exp(x))


def _reciprocal(x: np.float32) -> np.float32:
    return np.float32(1) / (np.float32(1) + x)


def softmax(view: OpView) -> KernelCall:
    view.arity(1, 1)
    input_, output = view.input(0, "int16"), view.output("int16")
    view.shape(output, input_.shape)
    depth = input_.shape[-1] if input_.shape else 1
    if depth > _MAX_DEPTH:
        raise view.fail(f"{named(input_)} has {depth} classes; at most {_MAX_DEPTH}")
    symmetric(view, input_, output)
    _check_scale(view, output)
    real = float(view.quantization(input_)[0]) * float(view.real("beta")) / (_EXP_RANGE / 65535.0)
    if not real > 0.0:
        raise view.fail(f"option beta is {view.real('beta'):g}; it must be above 0")
    factor, shift = multiplier(view, real, "input and beta")
    params = Struct(
        "params",
        "ear_softmax_s16_t",
        {
            "exps": Array("exps", "int16_t", table(-_EXP_RANGE, 0.0, _exponential)),
            "reciprocals": Array("reciprocals", "int16_t", table(0.0, 1.0, _reciprocal)),
            "multiplier": factor,
            "shift": shift,
            "rows": input_.elements // depth,
            "depth": depth,
        },
    )
    return call("ear_softmax_s16", params, view.read(input_), view.write(output))


def _check_scale(view: OpView, output: Tensor) -> None:
    scale = view.quantization(output)[0]
    if abs(float(scale) * 32768 - 1) > 0.5e-3:
        raise view.fail(f"{named(output)} has scale {scale:g}; it must be 1/32768")


def logistic(view: OpView) -> KernelCall:
    return _sigmoid(view, "ear_logistic_s16", (0,))


def tanh(view: OpView) -> KernelCall:
    return _sigmoid(view, "ear_tanh_s16", (0, 1))


def _sigmoid(view: OpView, kernel: str, plain_shifts: tuple[int, ...]) -> KernelCall:
    input_, output = _tensors(view)
    _check_scale(view, output)
    factor, shift = _input_factor(view, input_, plain_shifts)
    params = Struct(
        "params",
        "ear_sigmoid_s16_t",
        {
            "sigmoid": Array("sigmoid", "uint16_t", sigmoid_table()),
            "multiplier": factor,
            "shift": shift,
            "count": input_.elements,
        },
    )
    return call(kernel, params, view.read(input_), view.write(output))


@functools.cache
def sigmoid_table() -> np.ndarray:
    """Return 1 / (1 + e^(-i / 24)) in Q0.16 for i = 0 to 255: uint16 [256].

    Each entry is raised by half the error that interpolation has in the middle of its step, and
    the last one is the largest value (TFLite's sigmoid_table_uint16).
    """
    exact = 65536 / (1 + np.exp(-np.arange(0, 256, 0.5) / 24))
    here, between, after = exact[:-2:2], exact[1:-1:2], exact[2::2]
    entries = np.floor(here - ((here + after) / 2 - between) / 2 + 0.5)
    return np.append(entries, 65535).astype(np.uint16)


def _input_factor(view: OpView, input_: Tensor, plain_shifts: tuple[int, ...]) -> tuple[int, int]:
    """Return (multiplier, right shift) that bring the input to steps of 1/12288.

    The factor is cut to 15 bits, but for scales near 2^-12 * 2^shift it is 3 * 2^shift.
    """
    scale = view.quantization(input_)[0]
    power = np.log(scale) * (np.float32(1.0) / np.log(np.float32(2.0)))
    plain = 12 + round_away(float(power))
    if abs(float(power) - round_away(float(power))) < 1e-3 and plain in plain_shifts:
        return 3 << plain, 0
    real, shift = float(scale) * _SIGMOID_STEPS, 0
    while real <= _MAX_FACTOR / 2 and shift <= 30:
        real, shift = real * 2, shift + 1
    if not 1 <= real <= _MAX_FACTOR:
        raise view.fail(f"{named(input_)} has scale {scale:g}; allowed: 4e-14 to 2.6")
    return int(real), shift


def relu(view: OpView) -> KernelCall:
    input_, output = _tensors(view)
    return _slopes(view, input_, output, _ratio(view, input_, output), 0.0, (0, _HIGH))


def relu6(view: OpView) -> KernelCall:
    """RELU6 clamps in the input's quantization and does not rescale, whatever the output says."""
    input_, output = _tensors(view)
    scale = view.quantization(input_)[0]
    with np.errstate(over="ignore"):
        six = round_away(float(min(np.float32(6.0) / scale, np.float32(1e6))))
    return _slopes(view, input_, output, 1.0, 0.0, (0, min(six, _HIGH)))


def absolute(view: OpView) -> KernelCall:
    input_, output = _tensors(view)
    factor, shift = multiplier(view, _ratio(view, input_, output), "input and output")
    params = Struct(
        "params",
        "ear_rescale_t",
        {
            "input_offset": 0,
            "multiplier": factor,
            "shift": shift,
            "output_offset": 0,
            "count": input_.elements,
        },
    )
    return call("ear_abs_s16", params, view.read(input_), view.write(output))


def leaky_relu(view: OpView) -> KernelCall:
    input_, output = _tensors(view)
    scale_in, scale_out = (float(view.quantization(t)[0]) for t in (input_, output))
    below = scale_in * float(view.real("alpha")) / scale_out
    return _slopes(view, input_, output, _ratio(view, input_, output), below, (_LOW, _HIGH))


def _tensors(view: OpView) -> tuple[Tensor, Tensor]:
    view.arity(1, 1)
    input_, output = view.input(0, "int16"), view.output("int16")
    view.shape(output, input_.shape)
    symmetric(view, input_, output)
    return input_, output


def _ratio(view: OpView, input_: Tensor, output: Tensor) -> float:
    return float(view.quantization(input_)[0]) / float(view.quantization(output)[0])


def _slopes(
    view: OpView,
    input_: Tensor,
    output: Tensor,
    above: float,
    below: float,
    limits: tuple[int, int],
) -> KernelCall:
    factors = [multiplier(view, abs(real), "input and output") for real in (above, below)]
    for real, (_, shift) in zip((above, below), factors, strict=True):
        if shift > _MAX_SLOPE_SHIFT:
            raise view.fail(
                f"the scales of input and output give the factor {real:g}; "
                f"it must be below 2^{_MAX_SLOPE_SHIFT}"
            )
    params = Struct(
        "params",
        "ear_slopes_t",
        {
            "multiplier": factors[0][0],
            "shift": factors[0][1],
            "below_multiplier": factors[1][0],
            "below_shift": factors[1][1],
            "below_sign": -1 if below < 0 else 1,
            "output_min": limits[0],
            "output_max": limits[1],
            "count": input_.elements,
        },
    )
    return call("ear_slopes_s16", params, view.read(input_), view.write(output))
