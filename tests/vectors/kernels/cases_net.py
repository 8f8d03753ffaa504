"""Random layers of speech models: those that remember, transposed convolution, attention."""

import math
from collections.abc import Callable, Mapping

import numpy as np

from tests.vectors.kernels.building import FUSED, Make, out_size, pair


def _svdf(dtype: str) -> Callable[[Make], tuple[str, dict]]:
    """Biases are as large as they come: sums that leave int32 wrap."""

    def build(make: Make) -> tuple[str, dict]:
        batch, inputs, memory, rank = make.size(3), make.size(40), make.size(12), make.size(3)
        units = make.size(9)
        filters = units * rank
        scale, feature, time = make.scale(-3, -1), make.scale(-3, -1), make.scale(-4, -2)
        state = scale * feature * np.float32(make.pick(0.02, 0.5, 1, 30, 1e3))
        top = 127 if dtype == "int8" else 32767
        # As large as what int8 features make of it; TFLite-Micro wants the bias to have it too.
        output = state * time * np.float32(top * math.sqrt(memory * rank) * make.pick(0.3, 3, 100))
        make.invocations = 5
        make.feed((batch, inputs), scale=scale, point=make.point())
        make.hold(make.values((filters, inputs)), feature)
        make.hold(make.values((filters, memory), dtype), time)
        reach = make.pick(1e3, 1e6, 2**31 - 1)
        make.hold(make.rng.integers(-reach, reach, units).astype(np.int32), state * time)
        make.keep((batch, memory * filters), dtype, state, make.point() if dtype == "int8" else 0)
        make.result((batch, units), scale=output, point=make.point())
        return "SVDF", {
            "rank": rank,
            "fused_activation_function": make.pick("NONE", "RELU"),
            "asymmetric_quantize_inputs": False,
        }

    return build


def _svdf_ties(make: Make) -> tuple[str, dict]:
    """One of both factors next to 3/4: float32 or double computed it, which its last bit shows."""
    scale, feature, time = make.scale(-2, 0), make.scale(-2, 0), make.scale(-4, -2)
    first, second = make.pick((4 / 3, 1), (1, 4 / 3))
    state = np.float32(float(scale) * float(feature) * first)
    make.feed((250, 1), scale=scale)
    make.hold(np.array([[1]], np.int8), feature)
    make.hold(np.array([[1]], np.int16), time)
    make.hold(np.zeros(1, np.int32), state * time)
    make.keep((250, 1), "int16", state)
    make.result((250, 1), scale=np.float32(float(state) * float(time) * second))
    return "SVDF", {"rank": 1, "fused_activation_function": "NONE"}


def _gate_bias(make: Make, units: int, scale: np.float32, dtype: str) -> None:
    bias = np.clip(make.rng.normal(0, 2.0 / float(scale), units), -(2**30), 2**30)
    make.hold(bias.astype(dtype), scale)


def _lstm(dtype: str) -> Callable[[Make], tuple[str, dict]]:
    """Weights of gates by pairs of input and hidden ones; the scales reach from dead to saturated.

    Where the cell has 2^-11, as converters give it, tanh sees all of its range.
    """

    def build(make: Make) -> tuple[str, dict]:
        time_major = bool(make.rng.random() < 0.5)
        steps, batch = make.size(5), make.size(3)
        inputs, units = make.size(20), int(make.pick(1, 2, make.size(12), 16))
        wide = dtype == "int16"
        reach = 1 << (8 if wide else 0)
        scale, hidden = make.scale(-2.5, -1) / reach, np.float32(2.0**-7 / reach)
        point, hidden_point = (0, 0) if wide else (make.point(), int(make.pick(0, make.point())))
        outer = (steps, batch) if time_major else (batch, steps)
        make.invocations = 3
        make.feed((*outer, inputs), dtype, scale, point)
        scales = [make.scale(-3.5, -1.5) for _ in range(8)]
        for place in range(8):
            depth = inputs if place < 4 else units
            make.hold(make.values((units, depth)), scales[place])
        for _ in range(3):
            make.skip()
        for place in range(4):
            _gate_bias(make, units, scale * scales[place], "int64" if wide else "int32")
        make.skip()
        make.skip()
        cell = np.float32(make.pick(2.0**-11, 2.0**-11, 2.0**-12, 2.0**-9, 2.0**-15, 3.1e-4))
        make.keep((batch, units), dtype, hidden, hidden_point)
        make.keep((batch, units), "int16", cell)
        for _ in range(4):
            make.skip()
        make.result((*outer, units), dtype, hidden, hidden_point)
        return "UNIDIRECTIONAL_SEQUENCE_LSTM", {
            "fused_activation_function": "TANH",
            "cell_clip": float(np.float32(make.pick(0.0, 0.0, 10.0, 0.3, 1e-6, 1e6))),
            "proj_clip": 0.0,
            "time_major": time_major,
            "asymmetric_quantize_inputs": False,
        }

    return build


def _transpose_conv(dtype: str) -> Callable[[Make], tuple[str, dict]]:
    """Input planes are those that a convolution of the output makes."""

    def build(make: Make) -> tuple[str, dict]:
        strides = make.pick((1, 1), (2, 2), (1, 2), (3, 1), (2, 3))
        taps = make.pick((1, 1), (3, 3), (1, 3), (4, 10), (2, 2), (5, 1))
        padding = str(make.pick("SAME", "VALID"))
        smallest = taps if padding == "VALID" else (1, 1)
        out = [make.size(9) + least - 1 for least in smallest]
        plane = [
            out_size(size, tap, stride, 1, padding)
            for size, tap, stride in zip(out, taps, strides, strict=True)
        ]
        batch, depth, channels = int(make.pick(1, 1, 2)), make.size(12), make.size(10)
        wide = dtype == "int16"
        scale = make.scale(-5, -2) if wide else make.scale(-3, 0)
        make.hold(np.array([batch, *out, channels], np.int32))
        scales = make.scale(-4, -1) * make.rng.uniform(0.05, 1, channels)
        if make.rng.random() < 0.3:
            scales = scales[:1]
        make.hold(make.values((channels, *taps, depth)), scales)
        make.feed((batch, *plane, depth), dtype, scale, 0 if wide else make.point())
        unit, count = float(scale) * float(scales.max()), depth * taps[0] * taps[1]
        if make.rng.random() < 0.8:
            kind = str(make.pick("int64", "int64", "int16")) if wide else "int32"
            reach = min((1e6 if wide else 5000) * math.sqrt(count), np.iinfo(kind).max / 4)
            bias = np.clip(make.rng.normal(0, reach, channels), -4 * reach, 4 * reach)
            make.hold(bias.astype(kind), scale * scales)
        factor = float(make.pick(1, 0.3, 3, 1e-3, 1e3))
        result = unit * 70 * math.sqrt(count) * factor
        make.result((batch, *out, channels), dtype, result, 0 if wide else make.point())
        return "TRANSPOSE_CONV", {
            "padding": padding,
            "stride_h": strides[0],
            "stride_w": strides[1],
            "fused_activation_function": make.pick(*FUSED),
            "quantized_bias_type": "INT64" if wide else "INT32",
        }

    return build


def _batch_matmul(dtype: str) -> Callable[[Make], tuple[str, dict]]:
    def build(make: Make) -> tuple[str, dict]:
        rows, depth, columns = make.size(9), make.size(30), make.size(9)
        adj_x, adj_y = bool(make.rng.random() < 0.5), bool(make.rng.random() < 0.5)
        left = (depth, rows) if adj_x else (rows, depth)
        right = (columns, depth) if adj_y else (depth, columns)
        full = tuple(make.size(4) for _ in range(make.rng.integers(0, 4)))
        sides = []
        for _ in range(2):
            batch = tuple(n if make.rng.random() < 0.7 else 1 for n in full)
            sides.append(batch[make.rng.integers(len(batch) + 1) :] if batch else batch)
        rank = max(map(len, sides))
        ones = [(1,) * (rank - len(side)) + side for side in sides]
        wide = dtype == "int16"
        points = [0 if wide else make.point() for _ in range(3)]
        scales = [make.scale(-5, -2), make.scale(-5, -2)]
        make.feed((*sides[0], *left), dtype, scales[0], points[0])
        if make.rng.random() < 0.3:
            make.hold(make.values((*sides[1], *right), dtype), scales[1], points[1])
        else:
            make.feed((*sides[1], *right), dtype, scales[1], points[1])
        shape = (*map(max, zip(*ones, strict=True)), rows, columns)
        reach = (18000 if wide else 70) * math.sqrt(depth) * float(make.pick(1, 0.3, 3, 1e-2, 1e3))
        make.result(shape, dtype, float(scales[0]) * float(scales[1]) * reach, points[2])
        return "BATCH_MATMUL", {
            "adj_x": adj_x, "adj_y": adj_y, "asymmetric_quantize_inputs": False,
        }  # fmt: skip

    return build


def _batch_matmul_ties(dtype: str) -> Callable[[Make], tuple[str, dict]]:
    """A factor next to 3/4, as _svdf_ties has it."""

    def build(make: Make) -> tuple[str, dict]:
        left, right = make.scale(-2, 0), make.scale(-2, 0)
        make.feed((250, 1), dtype, left)
        make.hold(np.array([[1]], dtype), right)
        make.result((250, 1), dtype, np.float32(float(left) * float(right) * 4 / 3))
        return "BATCH_MATMUL", {"adj_x": False, "adj_y": True}

    return build


def _table(kind: str) -> Callable[[Make], tuple[str, dict]]:
    """All bytes, with whatever scales the function allows."""

    def build(make: Make) -> tuple[str, dict]:
        scale = make.scale(-4, 1)
        make.feed((1, 400), scale=scale, point=-128 if kind == "RSQRT" else make.point())
        factor = make.pick(1, 1, 0.75, 4 / 3, 0.5, 2.0, 0.1, 7.0)
        if kind == "RSQRT":
            factor = make.rng.uniform(0.005, 0.05) / float(scale) ** 1.5
        make.result((1, 400), scale=scale * np.float32(factor), point=make.point())
        return kind, {}

    return build


def _elu(make: Make) -> tuple[str, dict]:
    """Outputs fine enough that each step of float32 shows."""
    scale = make.scale(-2.5, 0)
    make.feed((1, 400), scale=scale, point=make.point())
    make.result((1, 400), scale=scale * np.float32(make.pick(1, 0.1, 0.03)), point=make.point())
    return "ELU", {}


def _abs_s16(make: Make) -> tuple[str, dict]:
    scale = make.scale(-5, -2)
    make.feed((2, 300), "int16", scale)
    factor = make.pick(1, 0.75, 4 / 3, 0.5, 2.0, 0.013, 40, 3e-4)
    make.result((2, 300), "int16", np.float32(float(scale) * factor))
    return "ABS", {}


def _prelu(dtype: str) -> Callable[[Make], tuple[str, dict]]:
    def build(make: Make) -> tuple[str, dict]:
        one, other, result = pair(make)
        wide = dtype == "int16"
        scale, alpha = make.scale(-4, -1), make.scale(-3, -1)
        make.feed(one, dtype, scale, 0 if wide else make.point())
        make.hold(make.values(other), alpha, make.point())
        factor = np.float32(make.pick(1, 4 / 3, 0.1, 7, 0.01))
        make.result(result, dtype, scale * factor, 0 if wide else make.point())
        return "PRELU", {}

    return build


def _log_softmax(make: Make) -> tuple[str, dict]:
    shape = make.pick((1, 12), (3, 2), (1, 1), (2, 3, 35), (5,), (1, 300), (1, 4000))
    make.feed(shape, scale=make.scale(-5, 1.5), point=make.point())
    make.result(shape, scale=1 / 16, point=127)
    return "LOG_SOFTMAX", {}


def _l2_normalization(make: Make) -> tuple[str, dict]:
    shape = make.pick((1, 12), (30, 2), (20, 1), (2, 3, 5, 35), (5,), (1, 300), (2, 8000))
    make.feed(shape, scale=make.scale(-3, 0), point=make.point())
    make.result(shape, scale=1 / 128)
    return "L2_NORMALIZATION", {"fused_activation_function": "NONE"}


def _wrapping(kind: str, dtype: str) -> Callable[[Make], tuple[str, dict]]:
    """Sums that leave int32 because of biases; on int16 because of products as well."""

    def build(make: Make) -> tuple[str, dict]:
        wide = dtype == "int16"
        depth, channels = (1500 if wide else make.size(40)), make.size(9)
        depthwise = kind == "DEPTHWISE_CONV_2D"
        dense = kind == "FULLY_CONNECTED"
        rows = make.size(4)
        scale, weight = make.scale(-4, -2), make.scale(-3, -1)
        shape = (rows, depth) if dense else (1, rows, 1, channels if depthwise else depth)
        taps = (channels, depth) if dense else (channels, 1, 1, depth)
        make.feed(shape, dtype, scale, 0 if wide else make.point())
        make.hold(make.values((1, 2, 1, channels) if depthwise else taps), weight, 0, 3 * depthwise)
        ends = np.iinfo(np.int32)
        bias = make.rng.integers(ends.min, ends.max, channels, endpoint=True).astype(np.int32)
        make.hold(
            make.pick(bias, make.rng.choice([ends.min, ends.max], channels).astype(np.int32)),
            scale * weight,
        )
        output = float(scale) * float(weight) * 2.0 ** (16 if wide else 24)
        made = (rows, channels) if dense else (1, rows, 1, channels)
        make.result(made, dtype, np.float32(output), 0 if wide else make.point())
        fused = {"fused_activation_function": "NONE"}
        if dense:
            return kind, fused | {"weights_format": "DEFAULT", "keep_num_dims": False}
        window = {"padding": "SAME", "stride_h": 1, "stride_w": 1}
        window |= {"dilation_h_factor": 1, "dilation_w_factor": 1}
        return kind, fused | window | ({"depth_multiplier": 1} if depthwise else {})

    return build


def _embedding_lookup(make: Make) -> tuple[str, dict]:
    rows, count = make.size(9), make.size(6)
    inner = (make.size(20), *make.pick((), (), (make.size(3),)))
    dtype = str(make.pick("int8", "float32"))
    make.hold(make.rng.integers(0, rows, count).astype(np.int32))
    scale = 0.1 if dtype == "int8" else None
    make.feed((rows, *inner), dtype, scale)
    make.result((count, *inner), dtype, scale)
    return "EMBEDDING_LOOKUP", {}


def _quantize(source: str, target: str) -> Callable[[Make], tuple[str, dict]]:
    """Between int32, whose zero point is 0, and narrower types."""

    def build(make: Make) -> tuple[str, dict]:
        shape = make.pick((1, 49, 10, 1), (300,), (2, 3))
        scale = make.scale(-3, 0.5)
        make.feed(shape, source, scale, 0 if source == "int32" else make.point(source))
        low, high = (-10, -4) if source == "int32" else (-7, 2)
        factor = np.float32(10 ** make.rng.uniform(low, high))
        make.result(shape, target, scale / factor, 0 if target == "int32" else make.point(target))
        return "QUANTIZE", {}

    return build


KINDS: Mapping[str, Callable[[Make], tuple[str, dict]]] = {
    "svdf": _svdf("int16"),
    "svdf_int8": _svdf("int8"),
    "svdf_ties": _svdf_ties,
    "lstm": _lstm("int8"),
    "lstm_s16": _lstm("int16"),
    "transpose_conv": _transpose_conv("int8"),
    "transpose_conv_s16": _transpose_conv("int16"),
    "batch_matmul": _batch_matmul("int8"),
    "batch_matmul_s16": _batch_matmul("int16"),
    "batch_matmul_ties": _batch_matmul_ties("int8"),
    "batch_matmul_s16_ties": _batch_matmul_ties("int16"),
    "abs": _table("ABS"),
    "abs_s16": _abs_s16,
    "rsqrt": _table("RSQRT"),
    "hard_swish": _table("HARD_SWISH"),
    "elu": _elu,
    "prelu": _prelu("int8"),
    "prelu_s16": _prelu("int16"),
    "log_softmax": _log_softmax,
    "l2_normalization": _l2_normalization,
    "conv2d_wrapping": _wrapping("CONV_2D", "int8"),
    "depthwise_wrapping": _wrapping("DEPTHWISE_CONV_2D", "int8"),
    "dense_wrapping": _wrapping("FULLY_CONNECTED", "int8"),
    "conv2d_s16_wrapping": _wrapping("CONV_2D", "int16"),
    "dense_s16_wrapping": _wrapping("FULLY_CONNECTED", "int16"),
    "embedding_lookup": _embedding_lookup,
    "quantize_int8_int32": _quantize("int8", "int32"),
    "quantize_int16_int32": _quantize("int16", "int32"),
    "quantize_int32_int8": _quantize("int32", "int8"),
    "quantize_int32_int16": _quantize("int32", "int16"),
}
