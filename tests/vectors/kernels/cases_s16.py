"""Random single operations on int16 tensors, as `cases` has them on int8.

Zero points are 0, as TFLite wants them of int16.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np

from tests.vectors.kernels.building import FUSED, Make, pair, planes, window


def _weights(make: Make, shape: tuple[int, ...], channels: int, axis: int) -> np.ndarray:
    """Hold int8 weights, now and then all at the end of the range; return their scales."""
    weights = make.rng.integers(-127, 128, shape).astype(np.int8)
    if make.rng.random() < 0.15:
        weights = make.rng.choice(np.array([-128, 127], np.int8), shape)
    scales = make.scale(-4, -1) * make.rng.uniform(0.05, 1, channels)
    if make.rng.random() < 0.3:
        scales = scales[:1]
    make.hold(weights, scales, 0, axis)
    return scales


def _bias(make: Make, channels: int, count: int, dtypes: tuple[str, ...], scale: float) -> str:
    """Hold a bias, or none; return the type of the accumulator.

    32-bit sums are kept for few products, which cannot overflow them.
    """
    dtype = str(make.pick(*dtypes)) if count < 400 else "int64"
    if make.rng.random() < 0.8:
        reach = 1e6 * math.sqrt(count) * (1 if dtype == "int32" else make.pick(1, 1, 1e4))
        data = make.rng.normal(0, reach, channels)
        most = 2**29 if dtype == "int32" else 2**45
        # TFLite-Micro compares one bias scale with the product of the others.
        make.hold(np.clip(data, -most, most).astype(dtype), scale)
    return dtype


def _scaled_output(make: Make, shape: tuple[int, ...], unit: float, count: int) -> None:
    """An output whose range is hit by sums of `count` products, or missed by far."""
    factor = float(make.pick(1, 0.3, 3, 1e-3, 1e4, 1e-2))
    make.result(shape, "int16", max(unit * 70 * math.sqrt(count) * factor, unit / 100))


def _conv(make: Make) -> tuple[str, dict]:
    options = window(make)
    taps = make.pick((1, 1), (3, 3), (1, 3), (4, 10), (2, 2), (5, 1))
    plane, out = planes(make, options, taps)
    batch, groups = int(make.pick(1, 1, 2)), int(make.pick(1, 1, 1, 2, 3))
    depth, channels = make.size(40), make.size(18) * groups
    scale = make.scale(-5, -2)
    make.feed((batch, *plane, depth * groups), "int16", scale)
    scales = _weights(make, (channels, *taps, depth), channels, 0)
    count = taps[0] * taps[1] * depth
    options["quantized_bias_type"] = _bias(
        make, channels, count, ("int64", "int64", "int32"), float(scale) * float(scales[0])
    ).upper()
    _scaled_output(make, (batch, *out, channels), float(scale) * float(scales.max()), count)
    return "CONV_2D", options | {"fused_activation_function": make.pick(*FUSED)}


def _depthwise(make: Make) -> tuple[str, dict]:
    options = window(make)
    taps = make.pick((1, 1), (3, 3), (1, 3), (10, 8), (2, 2), (5, 1))
    plane, out = planes(make, options, taps)
    batch, multiplier = int(make.pick(1, 1, 2)), int(make.pick(1, 1, 1, 2, 3, 8))
    depth = make.size(18)
    channels, count = depth * multiplier, taps[0] * taps[1]
    scale = make.scale(-5, -2)
    make.feed((batch, *plane, depth), "int16", scale)
    scales = _weights(make, (1, *taps, channels), channels, 3)
    _bias(make, channels, count, ("int64",), float(scale) * float(scales[0]))
    _scaled_output(make, (batch, *out, channels), float(scale) * float(scales.max()), count)
    options |= {"depth_multiplier": multiplier}
    return "DEPTHWISE_CONV_2D", options | {"fused_activation_function": make.pick(*FUSED)}


def _dense(make: Make) -> tuple[str, dict]:
    rows, depth, units = make.size(4), int(make.pick(make.size(120), 509, 1500)), make.size(18)
    scale = make.scale(-5, -2)
    shape = make.pick((rows, depth), (rows, 1, depth), (rows, 1, 1, depth))
    make.feed(shape, "int16", scale)
    scales = _weights(make, (units, depth), units, 0)
    kind = _bias(make, units, depth, ("int64", "int64", "int32"), float(scale) * float(scales[0]))
    _scaled_output(make, (rows, units), float(scale) * float(scales.max()), depth)
    return "FULLY_CONNECTED", {
        "fused_activation_function": make.pick(*FUSED),
        "weights_format": "DEFAULT",
        "keep_num_dims": False,
        "quantized_bias_type": kind.upper(),
    }


def _pool(kind: str) -> Callable[[Make], tuple[str, dict]]:
    def build(make: Make) -> tuple[str, dict]:
        options = window(make, dilate=False)
        taps = make.pick((1, 1), (2, 2), (3, 3), (5, 2), (9, 9), (25, 5))
        plane, out = planes(make, options, taps)
        batch, depth = int(make.pick(1, 1, 2)), make.size(18)
        scale = make.scale(-5, -2)
        make.feed((batch, *plane, depth), "int16", scale)
        make.result((batch, *out, depth), "int16", scale)
        options |= {"filter_height": taps[0], "filter_width": taps[1]}
        return kind, options | {"fused_activation_function": make.pick(*FUSED)}

    return build


def _mean(make: Make) -> tuple[str, dict]:
    shape = tuple(make.size(9) for _ in range(make.rng.integers(2, 5)))
    rank = len(shape)
    axes = make.rng.choice(rank, make.rng.integers(1, rank + 1), replace=False)
    keep = bool(make.rng.random() < 0.5)
    left = tuple(1 if i in axes else n for i, n in enumerate(shape) if keep or i not in axes)
    make.feed(shape, "int16", scale := make.scale(-6, -2))
    make.hold(np.array(axes, np.int32))
    make.result(left, "int16", scale * np.float32(make.pick(1, 1, 0.37, 2.5, 1e-3)))
    return "MEAN", {"keep_dims": keep}


def _binary(kind: str) -> Callable[[Make], tuple[str, dict]]:
    def build(make: Make) -> tuple[str, dict]:
        one, other, result = pair(make)
        scale1, scale2 = make.scale(-5, -1), make.scale(-5, -1)
        make.feed(one, "int16", scale1)
        if make.rng.random() < 0.3:
            make.hold(make.values(other, "int16"), scale2)
        else:
            make.feed(other, "int16", scale2)
        unit = 18000 * scale1 * scale2 if kind == "MUL" else 1.5 * max(scale1, scale2)
        factor = float(make.pick(1, 1, 0.1, 10, 1e-3 if kind == "MUL" else 1e-2, 1e3))
        make.result(result, "int16", unit * factor)
        return kind, {"fused_activation_function": make.pick(*FUSED)}

    return build


def _pad(kind: str) -> Callable[[Make], tuple[str, dict]]:
    def build(make: Make) -> tuple[str, dict]:
        shape = tuple(make.size(6) for _ in range(make.rng.integers(1, 5)))
        pads = make.rng.integers(0, 4, (len(shape), 2)).astype(np.int32)
        scale = make.scale()
        make.feed(shape, "int16", scale)
        make.hold(pads)
        if kind == "PADV2":
            make.hold(make.values((1,), "int16"), scale)
        made = tuple(n + a + b for n, (a, b) in zip(shape, pads.tolist(), strict=True))
        make.result(made, "int16", scale)
        return kind, {}

    return build


def _softmax(make: Make) -> tuple[str, dict]:
    shape = make.pick((1, 12), (3, 2), (1, 1), (2, 3, 35), (5,), (1, 300), (1, 4000))
    make.feed(shape, "int16", make.scale(-6, -1))
    make.result(shape, "int16", 2.0**-15)
    return "SOFTMAX", {"beta": float(np.float32(make.pick(1.0, 1.0, 0.5, 3.7)))}


def _sigmoid(kind: str) -> Callable[[Make], tuple[str, dict]]:
    def build(make: Make) -> tuple[str, dict]:
        shape = (2, 500)
        scale = make.pick(2.0**-12, 2.0**-11, 2.0**-10, make.scale(-6, 0), make.scale(-5, -3))
        make.feed(shape, "int16", scale)
        make.result(shape, "int16", 2.0**-15)
        return kind, {}

    return build


def _slopes(kind: str) -> Callable[[Make], tuple[str, dict]]:
    def build(make: Make) -> tuple[str, dict]:
        scale = make.scale(-5, -2)
        make.feed((2, 300), "int16", scale)
        factor = np.float32(1 if kind == "RELU6" else make.pick(1, 0.5, 2.0, 0.013, 40, 0.75, 3e-4))
        make.result((2, 300), "int16", scale * factor)
        if kind == "LEAKY_RELU":
            return kind, {"alpha": float(np.float32(make.pick(0.1, 0.3, 0.01, 1.5, -0.2)))}
        return kind, {}

    return build


def _ties(kind: str) -> Callable[[Make], tuple[str, dict]]:
    """Factors next to 3/4, where every fourth value lies next to a tie between two results.

    There the last bits of the factor decide: they show whether float32 or double computed it.
    """

    def build(make: Make) -> tuple[str, dict]:
        scale = make.scale(-5, -3)
        weight = make.scale(-2, 0) if kind in ("MUL", "FULLY_CONNECTED") else np.float32(1)
        dense = kind == "FULLY_CONNECTED"
        shape = (250, 1) if dense else (1, 250)
        options: dict[str, object] = {"fused_activation_function": "NONE"}
        make.feed(shape, "int16", scale)
        if dense:
            make.hold(np.array([[1]], np.int8), weight)
            options |= {"weights_format": "DEFAULT", "keep_num_dims": False}
            options |= {"quantized_bias_type": "INT32"}
        elif kind in ("ADD", "SUB", "MUL"):
            other = weight if kind == "MUL" else scale
            make.hold(np.array([1 if kind == "MUL" else 0], np.int16), other)
        elif kind == "LEAKY_RELU":
            options = {"alpha": float(np.float32(make.pick(0.5, 1.5, 0.1)))}
        target = np.float32(float(scale) * float(weight) * 4 / 3)
        make.result(shape, "int16", target)
        return kind, {} if kind == "RELU" else options

    return build


KINDS: Mapping[str, Callable[[Make], tuple[str, dict]]] = {
    "conv2d_s16": _conv,
    "depthwise_s16": _depthwise,
    "dense_s16": _dense,
    **{
        f"{kind.lower()}_s16_ties": _ties(kind)
        for kind in ("ADD", "SUB", "MUL", "FULLY_CONNECTED", "RELU", "LEAKY_RELU")
    },
    "average_pool_s16": _pool("AVERAGE_POOL_2D"),
    "max_pool_s16": _pool("MAX_POOL_2D"),
    "mean_s16": _mean,
    "softmax_s16": _softmax,
    "add_s16": _binary("ADD"),
    "sub_s16": _binary("SUB"),
    "mul_s16": _binary("MUL"),
    "pad_s16": _pad("PAD"),
    "padv2_s16": _pad("PADV2"),
    "relu_s16": _slopes("RELU"),
    "relu6_s16": _slopes("RELU6"),
    "leaky_relu_s16": _slopes("LEAKY_RELU"),
    "logistic_s16": _sigmoid("LOGISTIC"),
    "tanh_s16": _sigmoid("TANH"),
}
