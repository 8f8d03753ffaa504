"""Random single operations on int16 tensors, as `cases` has them on int8.

Zero points are 0, as TFLite wants them of int16.
"""

from collections.abc import Callable, Mapping

import numpy as np

from tests.vectors.kernels.building import FUSED, Make, pair, planes, window


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


KINDS: Mapping[str, Callable[[Make], tuple[str, dict]]] = {
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
