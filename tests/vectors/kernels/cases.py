"""Random single operations, as graphs with inputs: one table for the host, the oracle and QEMU.

`cases(kind, count)` gives the same cases each time: each has its own seed, part of its name.
"""

import math
import zlib
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from edgeasr.graph import Quantization, Tensor
from tests.vectors.kernels import (
    cases_arithmetic,
    cases_move,
    cases_net,
    cases_reduce,
    cases_s16,
    cases_signal,
    cases_wide,
)
from tests.vectors.kernels.building import FUSED, Case, Make, pair, planes, window


def cases(kind: str, count: int) -> Iterator[Case]:
    """Yield `count` cases of an operation kind, a key of KINDS."""
    for number in range(count):
        rng = np.random.default_rng([zlib.crc32(kind.encode()), number])
        make = Make(rng)
        op_kind, options = KINDS[kind](make)
        yield make.case(f"{kind}-{number}", op_kind, options)


def _weights(
    make: Make, shape: tuple[int, ...], channels: int, axis: int, dtype: str = "int8"
) -> np.ndarray:
    low, high = (-8, 7) if dtype == "int4" else (-127, 127)
    weights = make.rng.integers(low, high + 1, shape).astype(np.int8)
    scales = make.scale(
        -4,
        -1,
    ) * make.rng.uniform(0.05, 1, channels)
    if make.rng.random() < 0.3:
        scales = scales[:1]
    make.hold(weights, scales, 0, axis, dtype)
    return scales


def _bias(make: Make, channels: int, reach: float, skip: bool = True) -> None:
    if make.rng.random() < 0.25:
        if make.rng.random() < 0.5 and skip:
            make.skip()
        return
    make.hold(make.rng.normal(0, reach, channels).astype(np.int32))


def _scaled_output(make: Make, shape: tuple[int, ...], unit: float, taps: int) -> None:
    """An output whose range is hit by sums of `taps` products, or missed by far."""
    scale = unit * 70 * math.sqrt(taps) * float(make.pick(1, 0.3, 3, 1e-4, 1e4, 1e-2))
    make.result(shape, scale=scale, point=make.point())


def _conv(make: Make, dtype: str = "int8") -> tuple[str, dict]:
    options = window(make)
    taps = make.pick((1, 1), (3, 3), (1, 3), (4, 10), (2, 2), (5, 1))
    plane, out = planes(make, options, taps)
    batch = int(make.pick(1, 1, 2))
    groups = int(make.pick(1, 1, 1, 1, 2, 3)) if dtype == "int8" else 1
    depth, channels = make.size(17), make.size(18) * groups
    return _convolution(make, options, taps, plane, (batch, *out, channels), (depth, groups), dtype)


def _long_conv(make: Make) -> tuple[str, dict]:
    """Filters of some hundred weights a channel."""
    options = window(make)
    taps = make.pick((4, 10), (6, 6), (7, 3), (10, 2))
    plane, out = planes(make, options, taps)
    depth = int(make.rng.integers(9, 30))
    sizes = int(make.pick(1, 1, 2)), *out, make.size(9)
    return _convolution(make, options, taps, plane, sizes, (depth, 1), "int8")


def _convolution(
    make: Make,
    options: dict,
    taps: tuple[int, int],
    plane: tuple[int, int],
    output: tuple[int, int, int, int],
    depth_and_groups: tuple[int, int],
    dtype: str,
) -> tuple[str, dict]:
    (batch, *out, channels), (depth, groups) = output, depth_and_groups
    scale = make.scale(-3, 0)
    make.feed((batch, *plane, depth * groups), scale=scale, point=make.point())
    scales = _weights(make, (channels, *taps, depth), channels, 0, dtype)
    count = taps[0] * taps[1] * depth
    _bias(make, channels, 5000 * math.sqrt(count))
    _scaled_output(make, (batch, *out, channels), float(scale) * float(scales.max()), count)
    return "CONV_2D", options | {"fused_activation_function": make.pick(*FUSED)}


def _depthwise(make: Make, dtype: str = "int8") -> tuple[str, dict]:
    options = window(make)
    taps = make.pick((1, 1), (3, 3), (1, 3), (10, 8), (2, 2), (5, 1))
    plane, out = planes(make, options, taps)
    batch = int(make.pick(1, 1, 2))
    multiplier = int(make.pick(1, 1, 1, 2, 3, 8))
    depth = make.size(18)
    channels = depth * multiplier
    scale = make.scale(-3, 0)
    make.feed((batch, *plane, depth), scale=scale, point=make.point())
    scales = _weights(make, (1, *taps, channels), channels, 3, dtype)
    count = taps[0] * taps[1]
    # TFLite-Micro crashes on a bias that is listed and left out.
    _bias(make, channels, 5000 * math.sqrt(count), skip=False)
    _scaled_output(make, (batch, *out, channels), float(scale) * float(scales.max()), count)
    options |= {"depth_multiplier": multiplier}
    return "DEPTHWISE_CONV_2D", options | {"fused_activation_function": make.pick(*FUSED)}


def _dense(make: Make, dtype: str = "int8") -> tuple[str, dict]:
    rows, depth, units = make.size(4), make.size(120), make.size(18)
    scale = make.scale(-3, 0)
    shape = make.pick((rows, depth), (rows, 1, depth), (rows, 1, 1, depth))
    make.feed(shape, scale=scale, point=make.point())
    weights = make.rng.integers(*((-8, 8) if dtype == "int4" else (-127, 128)), (units, depth))
    scales = make.scale(-4, -1) * make.rng.uniform(0.05, 1, units)
    per_channel = make.rng.random() < 0.4 and dtype == "int8"
    point = 0
    if not per_channel:
        scales = scales[:1]
        if dtype == "int8":
            point = int(make.pick(0, 0, 0, make.rng.integers(-128, 128)))
    make.hold(weights.astype(np.int8), scales, point, 0, dtype)
    if make.rng.random() < 0.75:
        data = make.rng.normal(0, 5000 * math.sqrt(depth), units).astype(np.int32)
        # TFLite-Micro compares one bias scale with the product of the others.
        make.hold(data, float(scale) * float(scales[0]))
    elif make.rng.random() < 0.5:
        make.skip()
    _scaled_output(make, (rows, units), float(scale) * float(scales.max()), depth)
    return "FULLY_CONNECTED", {
        "fused_activation_function": make.pick(*FUSED),
        "weights_format": "DEFAULT",
        "keep_num_dims": False,
    }


def _pool(kind: str) -> Callable[[Make], tuple[str, dict]]:
    def build(make: Make) -> tuple[str, dict]:
        options = window(make, dilate=False)
        taps = make.pick((1, 1), (2, 2), (3, 3), (5, 2), (9, 9), (25, 5))
        plane, out = planes(make, options, taps)
        batch, depth = int(make.pick(1, 1, 2)), make.size(18)
        scale, point = make.scale(-3, 0.3), make.point()
        make.feed((batch, *plane, depth), scale=scale, point=point)
        make.result((batch, *out, depth), scale=scale, point=point)
        options |= {"filter_height": taps[0], "filter_width": taps[1]}
        return kind, options | {"fused_activation_function": make.pick(*FUSED)}

    return build


def _mean(make: Make) -> tuple[str, dict]:
    shape = tuple(make.size(9) for _ in range(make.rng.integers(2, 5)))
    rank = len(shape)
    count = make.rng.integers(1, rank + 1)
    axes = make.rng.choice(rank, count, replace=False)
    keep = bool(make.rng.random() < 0.5)
    left = tuple(1 if i in axes else n for i, n in enumerate(shape) if keep or i not in axes)
    make.feed(shape, scale=(scale := make.scale(-4, 0)), point=make.point())
    signed = [int(a) - (rank if make.rng.random() < 0.3 else 0) for a in axes]
    make.hold(np.array(signed, np.int32))
    make.result(
        left, scale=scale * np.float32(make.pick(1, 1, 0.37, 2.5, 1e-3)), point=make.point()
    )
    return "MEAN", {"keep_dims": keep}


def _softmax(dtype: str) -> Callable[[Make], tuple[str, dict]]:
    def build(make: Make) -> tuple[str, dict]:
        shape = make.pick((1, 12), (3, 2), (1, 1), (2, 3, 35), (5,), (1, 300))
        make.feed(shape, scale=make.scale(-4, 1), point=make.point())
        if dtype == "int8":
            make.result(shape, "int8", 2.0**-8, -128)
        else:
            make.result(shape, "int16", 2.0**-16, -32768)
        return "SOFTMAX", {"beta": float(np.float32(make.pick(1.0, 1.0, 0.5, 3.7)))}

    return build


def _binary(kind: str) -> Callable[[Make], tuple[str, dict]]:
    def build(make: Make) -> tuple[str, dict]:
        one, other, result = pair(make)
        scale1, scale2 = make.scale(-3, 1), make.scale(-3, 1)
        make.feed(one, scale=scale1, point=make.point())
        if make.rng.random() < 0.3:
            make.hold(make.values(other), scale2, make.point())
        else:
            make.feed(other, scale=scale2, point=make.point())
        unit = 70 * scale1 * scale2 if kind == "MUL" else 1.5 * max(scale1, scale2)
        factor = float(make.pick(1, 1, 0.1, 10, 1e-3 if kind == "MUL" else 1e-2, 1e3))
        make.result(result, scale=unit * factor, point=make.point())
        return kind, {"fused_activation_function": make.pick(*FUSED)}

    return build


def _unary(kind: str) -> Callable[[Make], tuple[str, dict]]:
    """All 256 bytes at once, with whatever scales the operation allows."""

    def build(make: Make) -> tuple[str, dict]:
        scale = make.scale(-4, 1)
        make.feed((1, 400), scale=scale, point=make.point())
        options = {}
        if kind == "LOGISTIC":
            make.result((1, 400), scale=2.0**-8, point=-128)
        elif kind == "TANH":
            make.result((1, 400), scale=2.0**-7, point=0)
        elif kind == "RELU6":
            make.tensors[0] = Tensor(
                0,
                "t0",
                (1, 400),
                "int8",
                None,
                Quantization(
                    np.array([make.scale(-1.3, 1)], np.float32),
                    make.tensors[0].quantization.zero_points,
                ),
            )
            found = make.tensors[0].quantization
            make.result((1, 400), scale=found.scales, point=found.zero_point)
        else:
            factor = np.float32(make.pick(1, 1, 0.5, 2.0, 0.013, 40))
            make.result((1, 400), scale=scale * factor, point=make.point())
        if kind == "LEAKY_RELU":
            options["alpha"] = float(np.float32(make.pick(0.1, 0.3, 0.01, 1.5)))
        return kind, options

    return build


def _quantize(source: str, target: str) -> Callable[[Make], tuple[str, dict]]:
    def build(make: Make) -> tuple[str, dict]:
        shape = make.pick((1, 49, 10, 1), (300,), (2, 3))
        scale = make.scale(-3, 0.5)
        if source == "float32":
            make.feed(shape, source)
        else:
            make.feed(shape, source, scale, make.point(source))
        factor = make.pick(1, 0.5, 2.0, 0.0071, 90.0)
        make.result(shape, target, scale * np.float32(factor), make.point(target))
        return "QUANTIZE", {}

    return build


def _dequantize(source: str) -> Callable[[Make], tuple[str, dict]]:
    def build(make: Make) -> tuple[str, dict]:
        shape = make.pick((1, 49, 10, 1), (300,), (2, 3))
        make.feed(shape, source, make.scale(), make.point(source))
        make.result(shape, "float32")
        return "DEQUANTIZE", {}

    return build


def _ties(kind: str) -> Callable[[Make], tuple[str, dict]]:
    """Factors next to 3/4, where every second value lies next to a tie between two results.

    There the last bit of the factor decides: it shows whether float32 or double computed it.
    """

    def build(make: Make) -> tuple[str, dict]:
        scale, weight = make.scale(-2, 0), np.float32(1)
        if kind in ("FULLY_CONNECTED", "MUL", "CONV_2D"):
            weight = make.scale(-2, 0)
        target = np.float32(float(scale) * float(weight) * 4 / 3)
        fused = {"fused_activation_function": "NONE"}
        if kind == "FULLY_CONNECTED":
            shape, options = (250, 1), fused | {"weights_format": "DEFAULT", "keep_num_dims": False}
            make.feed(shape, scale=scale)
            make.hold(np.array([[1]], np.int8), weight)
        elif kind == "CONV_2D":
            shape, options = (
                (1, 250, 1, 1),
                fused
                | {
                    "padding": "SAME",
                    "stride_h": 1,
                    "stride_w": 1,
                    "dilation_h_factor": 1,
                    "dilation_w_factor": 1,
                },
            )
            make.feed(shape, scale=scale)
            make.hold(np.array([[[[1]]]], np.int8), weight)
        else:
            shape, options = (1, 250), fused if kind == "MUL" else {}
            make.feed(shape, scale=scale, point=0 if kind == "MUL" else make.point())
            if kind == "MUL":
                make.hold(np.array([1], np.int8), weight)
            if kind == "LEAKY_RELU":
                options = {"alpha": float(np.float32(make.pick(0.5, 1.5, 0.1)))}
        make.result(shape, scale=target, point=make.point())
        return kind, options

    return build


# Name of a family of cases -> builder. Families differ in kind, types or storage.
KINDS: Mapping[str, Callable[[Make], tuple[str, dict]]] = {
    "conv2d": _conv,
    "conv2d_long": _long_conv,
    "conv2d_int4": lambda make: _conv(make, "int4"),
    "depthwise": _depthwise,
    "depthwise_int4": lambda make: _depthwise(make, "int4"),
    "dense": _dense,
    "dense_int4": lambda make: _dense(make, "int4"),
    "conv2d_ties": _ties("CONV_2D"),
    "dense_ties": _ties("FULLY_CONNECTED"),
    "mul_ties": _ties("MUL"),
    "relu_ties": _ties("RELU"),
    "leaky_relu_ties": _ties("LEAKY_RELU"),
    "quantize_ties": _ties("QUANTIZE"),
    "average_pool": _pool("AVERAGE_POOL_2D"),
    "max_pool": _pool("MAX_POOL_2D"),
    "mean": _mean,
    "softmax": _softmax("int8"),
    "softmax_int16": _softmax("int16"),
    "add": _binary("ADD"),
    "sub": _binary("SUB"),
    "mul": _binary("MUL"),
    "relu": _unary("RELU"),
    "relu6": _unary("RELU6"),
    "leaky_relu": _unary("LEAKY_RELU"),
    "logistic": _unary("LOGISTIC"),
    "tanh": _unary("TANH"),
    "quantize_f32_int8": _quantize("float32", "int8"),
    "quantize_f32_int16": _quantize("float32", "int16"),
    "quantize_int8_int8": _quantize("int8", "int8"),
    "quantize_int8_uint8": _quantize("int8", "uint8"),
    "quantize_uint8_int8": _quantize("uint8", "int8"),
    "quantize_int8_int16": _quantize("int8", "int16"),
    "quantize_int16_int8": _quantize("int16", "int8"),
    "quantize_int16_int16": _quantize("int16", "int16"),
    "dequantize_int8": _dequantize("int8"),
    "dequantize_int16": _dequantize("int16"),
    **cases_s16.KINDS,
    **cases_move.KINDS,
    **cases_reduce.KINDS,
    **cases_net.KINDS,
    **cases_arithmetic.KINDS,
    **cases_signal.KINDS,
    **cases_wide.KINDS,
}
