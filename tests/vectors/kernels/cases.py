"""Random single operations, as graphs with inputs: one table for the host, the oracle and QEMU.

`cases(kind, count)` gives the same cases each time: each has its own seed, part of its name. They
lean to the edges: one channel, odd channels, 1x1, filters larger than the input, zero points at
the ends of the range, tiny and large factors.
"""

import math
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from edgeasr.graph import Graph, Op, Quantization, Tensor

_FUSED = ("NONE", "NONE", "RELU", "RELU6", "RELU_N1_TO_1")


@dataclass(frozen=True, eq=False)
class Case:
    name: str
    graph: Graph
    inputs: tuple[np.ndarray, ...]

    @property
    def op(self) -> Op:
        return self.graph.ops[0]


def cases(kind: str, count: int) -> Iterator[Case]:
    """Yield `count` cases of an operation kind, a key of KINDS."""
    for number in range(count):
        rng = np.random.default_rng([zlib.crc32(kind.encode()), number])
        make = _Make(rng)
        op_kind, options = KINDS[kind](make)
        yield make.case(f"{kind}-{number}", op_kind, options)


class _Make:
    """A graph of one operation under construction, from one random generator."""

    def __init__(self, rng: np.random.Generator):
        self.rng = rng
        self.tensors: list[Tensor] = []
        self.inputs: list[int] = []
        self.operands: list[int] = []
        self.output = -1

    def pick(self, *options: object) -> object:
        return options[self.rng.integers(len(options))]

    def size(self, most: int) -> int:
        """A size that is small, and often 1 or odd."""
        return int(
            self.pick(1, 2, 3, self.rng.integers(1, most + 1), self.rng.integers(1, most + 1))
        )

    def scale(self, low: float = -6.0, high: float = 0.5) -> np.float32:
        return np.float32(10 ** self.rng.uniform(low, high))

    def point(self, dtype: str = "int8") -> int:
        info = np.iinfo(dtype)
        return int(self.pick(0, info.min, info.max, self.rng.integers(info.min, info.max + 1)))

    def values(self, shape: tuple[int, ...], dtype: str = "int8") -> np.ndarray:
        """Uniform, or from the ends of the range only."""
        info = np.iinfo(dtype)
        if self.rng.random() < 0.15:
            return self.rng.choice(np.array([info.min, info.max], dtype), shape)
        return self.rng.integers(info.min, info.max + 1, shape).astype(dtype)

    def add(
        self,
        shape: tuple[int, ...],
        dtype: str,
        scale: object = None,
        point: object = 0,
        data: np.ndarray | None = None,
        axis: int = 0,
    ) -> int:
        quantization = None
        if scale is not None:
            scales = np.atleast_1d(np.asarray(scale, np.float32))
            points = np.broadcast_to(np.asarray(point, np.int32), scales.shape).copy()
            quantization = Quantization(scales, points, axis)
        index = len(self.tensors)
        self.tensors.append(
            Tensor(index, f"t{index}", tuple(map(int, shape)), dtype, data, quantization)
        )
        return index

    def feed(
        self, shape: tuple[int, ...], dtype: str = "int8", scale: object = None, point: int = 0
    ) -> Tensor:
        """An operand that is an input of the graph."""
        index = self.add(shape, dtype, scale, point)
        self.inputs.append(index)
        self.operands.append(index)
        return self.tensors[index]

    def hold(
        self,
        data: np.ndarray,
        scale: object = None,
        point: object = 0,
        axis: int = 0,
        dtype: str = "",
    ) -> Tensor:
        """An operand that is a constant."""
        index = self.add(data.shape, dtype or data.dtype.name, scale, point, data, axis)
        self.operands.append(index)
        return self.tensors[index]

    def skip(self) -> None:
        self.operands.append(-1)

    def result(
        self, shape: tuple[int, ...], dtype: str = "int8", scale: object = None, point: int = 0
    ) -> None:
        self.output = self.add(shape, dtype, scale, point)

    def case(self, name: str, kind: str, options: Mapping[str, object]) -> Case:
        op = Op(0, kind, tuple(self.operands), (self.output,), dict(options))
        graph = Graph(name, tuple(self.tensors), (op,), tuple(self.inputs), (self.output,))
        return Case(name, graph, tuple(self._input(self.tensors[i]) for i in self.inputs))

    def _input(self, tensor: Tensor) -> np.ndarray:
        if tensor.dtype == "float32":
            spread = 10 ** self.rng.uniform(-3, 3)
            return self.rng.normal(0, spread, tensor.shape).astype(np.float32)
        return self.values(tensor.shape, tensor.dtype)


def _window(make: _Make, dilate: bool = True) -> dict[str, int | str]:
    stride = make.pick((1, 1), (1, 1), (2, 2), (1, 2), (3, 1), (2, 3))
    dilation = make.pick((1, 1), (1, 1), (2, 1), (1, 2), (3, 2)) if dilate else (1, 1)
    found = {"stride_h": stride[0], "stride_w": stride[1]}
    if dilate:
        found |= {"dilation_h_factor": dilation[0], "dilation_w_factor": dilation[1]}
    return found


def _out(size: int, taps: int, stride: int, dilation: int, padding: str) -> int:
    if padding == "SAME":
        return -(-size // stride)
    return (size - (taps - 1) * dilation - 1) // stride + 1


def _planes(
    make: _Make, options: dict[str, object], taps: tuple[int, int]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Choose padding and an input plane that the filter fits; return input and output planes."""
    options["padding"] = padding = make.pick("SAME", "VALID")
    sizes, outs = [], []
    for axis, tap in zip("hw", taps, strict=True):
        stride = options[f"stride_{axis}"]
        dilation = options.get(f"dilation_{axis}_factor", 1)
        size = make.size(9)
        if padding == "VALID":
            size += (tap - 1) * dilation
        sizes.append(size)
        outs.append(_out(size, tap, stride, dilation, padding))
    return tuple(sizes), tuple(outs)


def _weights(
    make: _Make, shape: tuple[int, ...], channels: int, axis: int, dtype: str = "int8"
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


def _bias(make: _Make, channels: int, reach: float, skip: bool = True) -> None:
    if make.rng.random() < 0.25:
        if make.rng.random() < 0.5 and skip:
            make.skip()
        return
    make.hold(make.rng.normal(0, reach, channels).astype(np.int32))


def _scaled_output(make: _Make, shape: tuple[int, ...], unit: float, taps: int) -> None:
    """An output whose range is hit by sums of `taps` products, or missed by far."""
    scale = unit * 70 * math.sqrt(taps) * float(make.pick(1, 0.3, 3, 1e-4, 1e4, 1e-2))
    make.result(shape, scale=scale, point=make.point())


def _conv(make: _Make, dtype: str = "int8") -> tuple[str, dict]:
    options = _window(make)
    taps = make.pick((1, 1), (3, 3), (1, 3), (4, 10), (2, 2), (5, 1))
    plane, out = _planes(make, options, taps)
    batch = int(make.pick(1, 1, 2))
    groups = int(make.pick(1, 1, 1, 1, 2, 3)) if dtype == "int8" else 1
    depth, channels = make.size(17), make.size(18) * groups
    scale = make.scale(-3, 0)
    make.feed((batch, *plane, depth * groups), scale=scale, point=make.point())
    scales = _weights(make, (channels, *taps, depth), channels, 0, dtype)
    count = taps[0] * taps[1] * depth
    _bias(make, channels, 5000 * math.sqrt(count))
    _scaled_output(make, (batch, *out, channels), float(scale) * float(scales.max()), count)
    return "CONV_2D", options | {"fused_activation_function": make.pick(*_FUSED)}


def _depthwise(make: _Make, dtype: str = "int8") -> tuple[str, dict]:
    options = _window(make)
    taps = make.pick((1, 1), (3, 3), (1, 3), (10, 8), (2, 2), (5, 1))
    plane, out = _planes(make, options, taps)
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
    return "DEPTHWISE_CONV_2D", options | {"fused_activation_function": make.pick(*_FUSED)}


def _dense(make: _Make, dtype: str = "int8") -> tuple[str, dict]:
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
        "fused_activation_function": make.pick(*_FUSED),
        "weights_format": "DEFAULT",
        "keep_num_dims": False,
    }


def _pool(kind: str) -> Callable[[_Make], tuple[str, dict]]:
    def build(make: _Make) -> tuple[str, dict]:
        options = _window(make, dilate=False)
        taps = make.pick((1, 1), (2, 2), (3, 3), (5, 2), (9, 9), (25, 5))
        plane, out = _planes(make, options, taps)
        batch, depth = int(make.pick(1, 1, 2)), make.size(18)
        scale, point = make.scale(-3, 0.3), make.point()
        make.feed((batch, *plane, depth), scale=scale, point=point)
        make.result((batch, *out, depth), scale=scale, point=point)
        options |= {"filter_height": taps[0], "filter_width": taps[1]}
        return kind, options | {"fused_activation_function": make.pick(*_FUSED)}

    return build


def _mean(make: _Make) -> tuple[str, dict]:
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


def _softmax(dtype: str) -> Callable[[_Make], tuple[str, dict]]:
    def build(make: _Make) -> tuple[str, dict]:
        shape = make.pick((1, 12), (3, 2), (1, 1), (2, 3, 35), (5,), (1, 300))
        make.feed(shape, scale=make.scale(-4, 1), point=make.point())
        if dtype == "int8":
            make.result(shape, "int8", 2.0**-8, -128)
        else:
            make.result(shape, "int16", 2.0**-16, -32768)
        return "SOFTMAX", {"beta": float(np.float32(make.pick(1.0, 1.0, 0.5, 3.7)))}

    return build


def _pair(make: _Make) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Two shapes that broadcast, and the shape of the result."""
    full = tuple(make.size(7) for _ in range(make.rng.integers(1, 5)))
    if make.rng.random() < 0.4:
        return full, full, full
    one = [n if make.rng.random() < 0.6 else 1 for n in full]
    other = [n if a == 1 or make.rng.random() < 0.6 else 1 for n, a in zip(full, one, strict=True)]
    if make.rng.random() < 0.3:
        other = other[make.rng.integers(len(other)) :]
    wide = [1] * (len(one) - len(other)) + other
    if make.rng.random() < 0.5:
        one, other = other, one
    result = tuple(
        max(a, b)
        for a, b in zip(
            [1] * (len(wide) - len(one)) + list(one),
            [1] * (len(wide) - len(other)) + list(other),
            strict=True,
        )
    )
    return tuple(one), tuple(other), result


def _binary(kind: str) -> Callable[[_Make], tuple[str, dict]]:
    def build(make: _Make) -> tuple[str, dict]:
        one, other, result = _pair(make)
        scale1, scale2 = make.scale(-3, 1), make.scale(-3, 1)
        make.feed(one, scale=scale1, point=make.point())
        if make.rng.random() < 0.3:
            make.hold(make.values(other), scale2, make.point())
        else:
            make.feed(other, scale=scale2, point=make.point())
        unit = 70 * scale1 * scale2 if kind == "MUL" else 1.5 * max(scale1, scale2)
        factor = float(make.pick(1, 1, 0.1, 10, 1e-3 if kind == "MUL" else 1e-2, 1e3))
        make.result(result, scale=unit * factor, point=make.point())
        return kind, {"fused_activation_function": make.pick(*_FUSED)}

    return build


def _pad(kind: str) -> Callable[[_Make], tuple[str, dict]]:
    def build(make: _Make) -> tuple[str, dict]:
        shape = tuple(make.size(6) for _ in range(make.rng.integers(1, 5)))
        pads = make.rng.integers(0, 4, (len(shape), 2)).astype(np.int32)
        scale, point = make.scale(), make.point()
        make.feed(shape, scale=scale, point=point)
        make.hold(pads)
        if kind == "PADV2":
            make.hold(make.values((1,)), scale, point)
        made = tuple(n + a + b for n, (a, b) in zip(shape, pads.tolist(), strict=True))
        make.result(made, scale=scale, point=point)
        return kind, {}

    return build


def _concatenation(make: _Make) -> tuple[str, dict]:
    dtype = make.pick("int8", "int8", "int16", "int32", "float32")
    shape = [make.size(5) for _ in range(make.rng.integers(1, 5))]
    axis = int(make.rng.integers(len(shape)))
    scale, point = (make.scale(), make.point()) if dtype == "int8" else (0.1, 0)
    if dtype in ("float32", "int32"):
        scale = None
    total = 0
    for number in range(make.rng.integers(2, 6)):
        shape[axis] = make.size(5)
        total += shape[axis]
        if number and dtype == "int8" and make.rng.random() < 0.3:
            make.hold(make.values(tuple(shape)), scale, point)
        else:
            make.feed(tuple(shape), dtype, scale, point)
    shape[axis] = total
    make.result(tuple(shape), dtype, scale, point)
    if make.rng.random() < 0.5:
        axis -= len(shape)
    return "CONCATENATION", {"axis": axis, "fused_activation_function": "NONE"}


def _unary(kind: str) -> Callable[[_Make], tuple[str, dict]]:
    """All 256 bytes at once, with whatever scales the operation allows."""

    def build(make: _Make) -> tuple[str, dict]:
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


def _quantize(source: str, target: str) -> Callable[[_Make], tuple[str, dict]]:
    def build(make: _Make) -> tuple[str, dict]:
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


def _dequantize(source: str) -> Callable[[_Make], tuple[str, dict]]:
    def build(make: _Make) -> tuple[str, dict]:
        shape = make.pick((1, 49, 10, 1), (300,), (2, 3))
        make.feed(shape, source, make.scale(), make.point(source))
        make.result(shape, "float32")
        return "DEQUANTIZE", {}

    return build


def _ties(kind: str) -> Callable[[_Make], tuple[str, dict]]:
    """Factors next to 3/4, where every second value lies next to a tie between two results.

    There the last bit of the factor decides: it shows whether float32 or double computed it.
    """

    def build(make: _Make) -> tuple[str, dict]:
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
KINDS: Mapping[str, Callable[[_Make], tuple[str, dict]]] = {
    "conv2d": _conv,
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
    "pad": _pad("PAD"),
    "padv2": _pad("PADV2"),
    "concatenation": _concatenation,
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
}
