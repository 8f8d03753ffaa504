"""Layers as large as those of real models, and channel counts on both sides of a vector's width.

Kernels take 2, 4, 8 or 16 channels, columns or products at once: what remains must be right too.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np

from tests.vectors.kernels.building import FUSED, Make, out_size

# Each count that blocks of 4, 8 and 16 leave something of, from none to all but one.
_WIDE = (4, 7, 8, 9, 12, 15, 16, 17, 20, 23, 24, 25, 31, 32, 33, 40, 47, 48, 49, 63, 64, 65)
_PLANES = ((1, 1), (1, 3), (2, 2), (3, 5), (4, 4), (5, 3))


def _spread(make: Make, count: int) -> np.ndarray:
    """Scales of `count` channels, far from each other."""
    return make.scale(-4, -1) * make.rng.uniform(0.02, 1, count)


def _weights(make: Make, shape: tuple[int, ...]) -> np.ndarray:
    """Uniform, or of the largest size only, where sums saturate."""
    if make.rng.random() < 0.3:
        return np.asarray(make.rng.choice(np.array([-127, 127], np.int8), shape))
    return make.rng.integers(-127, 128, shape).astype(np.int8)


def _bias(make: Make, channels: int, taps: int) -> None:
    """None, of the sums' size, or so large that it decides the output alone."""
    reach = float(make.pick(0, 5000 * math.sqrt(taps), 5000 * math.sqrt(taps), 1 << 28))
    if reach:
        limit = (1 << 29) - 1
        values = np.clip(make.rng.normal(0, reach, channels), -limit, limit)
        make.hold(values.astype(np.int32))


def _output_scale(make: Make, unit: float, taps: int) -> float:
    """Hit by sums of `taps` products, or saturated by nearly all of them, or reached by none."""
    return unit * 70 * math.sqrt(taps) * float(make.pick(1, 1, 0.3, 3, 1e-3, 1e4))


def _layer(
    make: Make,
    kind: str,
    plane: tuple[int, int],
    channels: tuple[int, int],
    taps: tuple[int, int],
    strides: tuple[int, int],
    padding: str = "SAME",
) -> tuple[str, dict]:
    """A convolution; channels: of input and output, for a depthwise one with its multiplier."""
    depth, count = channels
    depthwise = kind == "DEPTHWISE_CONV_2D"
    shape = (1, *taps, count) if depthwise else (count, *taps, depth)
    products = taps[0] * taps[1] * (1 if depthwise else depth)
    out = [out_size(n, t, s, 1, padding) for n, t, s in zip(plane, taps, strides, strict=True)]
    scale = make.scale(-3, 0)
    make.feed((1, *plane, depth), scale=scale, point=make.point())
    scales = _spread(make, count)
    make.hold(_weights(make, shape), scales, 0, 3 if depthwise else 0)
    _bias(make, count, products)
    unit = float(scale) * float(scales.max())
    make.result((1, *out, count), scale=_output_scale(make, unit, products), point=make.point())
    options = {
        "padding": padding,
        "stride_h": strides[0],
        "stride_w": strides[1],
        "dilation_h_factor": 1,
        "dilation_w_factor": 1,
        "fused_activation_function": make.pick(*FUSED),
    }
    return kind, options | ({"depth_multiplier": count // depth} if depthwise else {})


def _conv_wide(make: Make) -> tuple[str, dict]:
    taps = make.pick((1, 1), (1, 1), (3, 3), (1, 3), (2, 1))
    plane = make.pick(*_PLANES)
    channels = int(make.pick(*_WIDE)), int(make.pick(*_WIDE))
    return _layer(make, "CONV_2D", plane, channels, taps, make.pick((1, 1), (1, 1), (2, 1)))


def _conv_one_channel(make: Make) -> tuple[str, dict]:
    taps = make.pick((10, 4), (3, 3), (5, 5), (8, 1))
    channels = 1, int(make.pick(*_WIDE))
    return _layer(make, "CONV_2D", (9, 7), channels, taps, make.pick((1, 1), (2, 2), (1, 2)))


def _depthwise_wide(make: Make) -> tuple[str, dict]:
    taps = make.pick((3, 3), (3, 3), (5, 1), (1, 3), (2, 2))
    depth, multiplier = int(make.pick(*_WIDE)), int(make.pick(1, 1, 1, 2))
    channels = depth, depth * multiplier
    strides = make.pick((1, 1), (1, 1), (2, 2))
    return _layer(make, "DEPTHWISE_CONV_2D", make.pick(*_PLANES), channels, taps, strides)


def _depthwise_planes(make: Make) -> tuple[str, dict]:
    """Planes with many outputs of a channel: narrow, long, wide, and more than are made at once."""
    plane = make.pick((25, 5), (9, 4), (21, 1), (1, 30), (6, 13), (4, 40), (13, 7), (30, 20))
    taps = make.pick((3, 3), (3, 3), (3, 1), (1, 3), (5, 3), (2, 2), (9, 1), (4, 4))
    depth, multiplier = int(make.pick(1, 2, 3, 8, 17)), int(make.pick(1, 1, 1, 2))
    channels = depth, depth * multiplier
    strides = make.pick((1, 1), (1, 1), (1, 1), (2, 1), (2, 2))
    fits = all(t <= n for t, n in zip(taps, plane, strict=True))
    padding = str(make.pick("SAME", "VALID")) if fits else "SAME"
    return _layer(make, "DEPTHWISE_CONV_2D", plane, channels, taps, strides, padding)


def _dense(units: int, depth: int, rows: int = 1) -> Callable[[Make], tuple[str, dict]]:
    """FULLY_CONNECTED; 0 stands for any of the widths, and for depth also for some above."""

    def build(make: Make) -> tuple[str, dict]:
        count = units or int(make.pick(*_WIDE))
        length = depth or int(make.pick(*_WIDE, 127, 128, 129, 255, 260))
        many = rows or int(make.pick(1, 1, 2, 5))
        scale, weight = make.scale(-3, 0), make.scale(-4, -1)
        make.feed((many, length), scale=scale, point=make.point())
        make.hold(_weights(make, (count, length)), weight, int(make.pick(0, 0, 0, 3, -128)))
        if make.rng.random() < 0.75:
            data = make.rng.normal(0, 5000 * math.sqrt(length), count).astype(np.int32)
            make.hold(data, float(scale) * float(weight))
        unit = float(scale) * float(weight)
        make.result((many, count), scale=_output_scale(make, unit, length), point=make.point())
        return "FULLY_CONNECTED", {
            "fused_activation_function": make.pick(*FUSED),
            "weights_format": "DEFAULT",
            "keep_num_dims": False,
        }

    return build


def _fixed(kind: str, *shape: object) -> Callable[[Make], tuple[str, dict]]:
    return lambda make: _layer(make, kind, *shape)


WIDE: Mapping[str, Callable[[Make], tuple[str, dict]]] = {
    "conv2d_wide": _conv_wide,
    "conv2d_one_channel": _conv_one_channel,
    "depthwise_wide": _depthwise_wide,
    "depthwise_planes": _depthwise_planes,
    "dense_wide": _dense(0, 0, 0),
}

# The layers of MLPerf Tiny's keyword spotting, and of TFLite-Micro's micro_speech.
REAL: Mapping[str, Callable[[Make], tuple[str, dict]]] = {
    "conv2d_kws_first": _fixed("CONV_2D", (49, 10), (1, 64), (10, 4), (2, 2)),
    "conv2d_kws_pointwise": _fixed("CONV_2D", (25, 5), (64, 64), (1, 1), (1, 1)),
    "depthwise_kws": _fixed("DEPTHWISE_CONV_2D", (25, 5), (64, 64), (3, 3), (1, 1)),
    "dense_kws": _dense(12, 64),
    "depthwise_micro_speech": _fixed("DEPTHWISE_CONV_2D", (49, 40), (1, 8), (10, 8), (2, 2)),
    "dense_micro_speech": _dense(4, 4000),
    "dense_long": _dense(4, 1000),
}

KINDS: Mapping[str, Callable[[Make], tuple[str, dict]]] = WIDE | REAL
