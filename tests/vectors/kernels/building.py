"""Parts of random operations: graphs of one operation with their inputs, shapes that fit.

All of it leans to the edges: one channel, odd channels, 1x1, filters larger than the input, zero
points at the ends of the range, tiny and large factors.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from edgeasr.graph import Graph, Op, Quantization, Tensor

FUSED = ("NONE", "NONE", "RELU", "RELU6", "RELU_N1_TO_1")


@dataclass(frozen=True, eq=False)
class Case:
    """inputs: of the first invocation. later: of those that follow it on the same state."""

    name: str
    graph: Graph
    inputs: tuple[np.ndarray, ...]
    later: tuple[tuple[np.ndarray, ...], ...] = ()

    @property
    def op(self) -> Op:
        return self.graph.ops[0]

    @property
    def steps(self) -> tuple[tuple[np.ndarray, ...], ...]:
        """The inputs of each invocation, in turn."""
        return (self.inputs, *self.later)


class Make:
    """A graph of one operation under construction, from one random generator.

    invocations: how often the case runs, each time on new inputs and the state that it left.
    """

    def __init__(self, rng: np.random.Generator):
        self.rng = rng
        self.tensors: list[Tensor] = []
        self.inputs: list[int] = []
        self.operands: list[int] = []
        self.outputs: list[int] = []
        self.invocations = 1

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
        """Uniform, or from the ends of the range only; floats are normal, in any unit."""
        if dtype == "float32":
            return self.rng.normal(0, 10 ** self.rng.uniform(-3, 3), shape).astype(np.float32)
        if dtype == "bool":
            return np.asarray(self.rng.random(shape) < 0.5)
        info = np.iinfo(dtype)
        if self.rng.random() < 0.15:
            return np.asarray(self.rng.choice(np.array([info.min, info.max], dtype), shape))
        return np.asarray(self.rng.integers(info.min, info.max, shape, dtype, endpoint=True))

    def add(
        self,
        shape: tuple[int, ...],
        dtype: str,
        scale: object = None,
        point: object = 0,
        data: np.ndarray | None = None,
        axis: int = 0,
        is_variable: bool = False,
    ) -> int:
        quantization = None
        if scale is not None:
            scales = np.atleast_1d(np.asarray(scale, np.float32))
            points = np.broadcast_to(np.asarray(point, np.int32), scales.shape).copy()
            quantization = Quantization(scales, points, axis)
        index = len(self.tensors)
        self.tensors.append(
            Tensor(
                index, f"t{index}", tuple(map(int, shape)), dtype, data, quantization, is_variable
            )
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

    def keep(
        self, shape: tuple[int, ...], dtype: str = "int8", scale: object = None, point: int = 0
    ) -> Tensor:
        """An operand that is a variable: it lasts from one invocation to the next."""
        index = self.add(shape, dtype, scale, point, is_variable=True)
        self.operands.append(index)
        return self.tensors[index]

    def skip(self) -> None:
        self.operands.append(-1)

    def result(
        self, shape: tuple[int, ...], dtype: str = "int8", scale: object = None, point: int = 0
    ) -> None:
        """An output of the operation; each call adds one."""
        self.outputs.append(self.add(shape, dtype, scale, point))

    def case(self, name: str, kind: str, options: Mapping[str, object]) -> Case:
        outputs = tuple(self.outputs)
        op = Op(0, kind, tuple(self.operands), outputs, dict(options))
        graph = Graph(name, tuple(self.tensors), (op,), tuple(self.inputs), outputs)
        steps = [
            tuple(self.values(self.tensors[i].shape, self.tensors[i].dtype) for i in self.inputs)
            for _ in range(self.invocations)
        ]
        return Case(name, graph, steps[0], tuple(steps[1:]))


def window(make: Make, dilate: bool = True) -> dict[str, int | str]:
    stride = make.pick((1, 1), (1, 1), (2, 2), (1, 2), (3, 1), (2, 3))
    dilation = make.pick((1, 1), (1, 1), (2, 1), (1, 2), (3, 2)) if dilate else (1, 1)
    found = {"stride_h": stride[0], "stride_w": stride[1]}
    if dilate:
        found |= {"dilation_h_factor": dilation[0], "dilation_w_factor": dilation[1]}
    return found


def out_size(size: int, taps: int, stride: int, dilation: int, padding: str) -> int:
    if padding == "SAME":
        return -(-size // stride)
    return (size - (taps - 1) * dilation - 1) // stride + 1


def planes(
    make: Make, options: dict[str, object], taps: tuple[int, int]
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
        outs.append(out_size(size, tap, stride, dilation, padding))
    return tuple(sizes), tuple(outs)


def pair(make: Make) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
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
