"""Random programs of several operations over resource variables, in every order that is legal.

All tensors are int8 [1, rows, 1, channels] with one quantization, so that any may meet any.
"""

from collections.abc import Sequence

import numpy as np

from edgeasr.graph import Graph, Op, Quantization, Tensor

POINT = -5
_NONE = {"fused_activation_function": "NONE"}
_SLICE = {
    "begin_mask": 13, "end_mask": 13, "ellipsis_mask": 0, "new_axis_mask": 0,
    "shrink_axis_mask": 0, "offset": False,
}  # fmt: skip


class Program:
    """A graph under construction. rows: those of its input."""

    def __init__(self, channels: int, rows: int):
        self.channels = channels
        self.tensors: list[Tensor] = []
        self.ops: list[Op] = []
        self.starts: list[tuple[str, np.ndarray]] = []
        self.handles: dict[str, tuple[int, int]] = {}
        self.input = self.tensor(rows)

    def add(self, shape: Sequence[int], dtype: str, data: np.ndarray | None = None) -> int:
        index = len(self.tensors)
        point = Quantization(np.float32([0.1]), np.int32([POINT])) if dtype == "int8" else None
        self.tensors.append(Tensor(index, f"t{index}", tuple(shape), dtype, data, point))
        return index

    def tensor(self, rows: int, data: np.ndarray | None = None) -> int:
        return self.add((1, rows, 1, self.channels), "int8", data)

    def constant(self, values: Sequence[int]) -> int:
        return self.add((len(values),), "int32", np.array(values, np.int32))

    def rows(self, tensor: int) -> int:
        return self.tensors[tensor].shape[1]

    def op(self, kind: str, inputs: Sequence[int], outputs: Sequence[int], **options: object) -> Op:
        self.ops.append(Op(len(self.ops), kind, tuple(inputs), tuple(outputs), options))
        return self.ops[-1]

    def variable(self, name: str, rows: int, start: np.ndarray | None = None) -> str:
        """Make a handle; with a start, one that CALL_ONCE sets."""
        handle = self.add((), "resource")
        self.op("VAR_HANDLE", (), (handle,), container="", shared_name=name)
        self.handles[name] = handle, rows
        if start is not None:
            self.starts.append((name, start))
        return name

    def read(self, name: str) -> int:
        handle, rows = self.handles[name]
        made = self.tensor(rows)
        self.op("READ_VARIABLE", (handle,), (made,))
        return made

    def assign(self, name: str, value: int) -> None:
        self.op("ASSIGN_VARIABLE", (self.handles[name][0], value), ())

    def join(self, *parts: int) -> int:
        made = self.tensor(sum(map(self.rows, parts)))
        self.op("CONCATENATION", parts, (made,), axis=1, **_NONE)
        return made

    def cut(self, source: int, begin: int, end: int) -> int:
        made = self.tensor(end - begin)
        bounds = ([0, begin, 0, 0], [0, end, 0, 0], [1, 1, 1, 1])
        self.op("STRIDED_SLICE", (source, *map(self.constant, bounds)), (made,), **_SLICE)
        return made

    def sum(self, one: int, other: int) -> int:
        made = self.tensor(self.rows(one))
        self.op("ADD", (one, other), (made,), pot_scale_int16=True, **_NONE)
        return made

    def reshaped(self, source: int) -> int:
        """There and back, so that nothing changes but the tensor."""
        size = self.rows(source) * self.channels
        flat = self.add((1, size), "int8")
        self.op("RESHAPE", (source, self.constant([1, size])), (flat,))
        made = self.tensor(self.rows(source))
        shape = self.tensors[made].shape
        self.op("RESHAPE", (flat, self.constant(shape)), (made,))
        return made

    def graph(self, output: int) -> Graph:
        """Return the graph, whose CALL_ONCE comes first."""
        ops, others = self.ops, ()
        if self.starts:
            once = Op(0, "CALL_ONCE", (), (), {"init_subgraph_index": 1})
            shifted = (Op(op.index + 1, op.kind, op.inputs, op.outputs, op.options) for op in ops)
            ops, others = [once, *shifted], (self._once(),)
        return Graph(
            "main", tuple(self.tensors), tuple(ops), (self.input,), (output,), subgraphs=others
        )

    def _once(self) -> Graph:
        called = Program(self.channels, 1)
        called.tensors.clear()
        for name, start in self.starts:
            called.variable(name, start.shape[1])
            called.assign(name, called.tensor(start.shape[1], start))
        return Graph("once", tuple(called.tensors), tuple(called.ops), (), ())


def random(seed: int, steps: int = 14) -> Graph:
    """Return a random program: reads, assignments and streams among operations that compute."""
    return _Random(seed).made(steps)


class _Random:
    def __init__(self, seed: int):
        self.rng = np.random.default_rng(seed)
        self.program = Program(int(self.rng.integers(1, 6)), int(self.rng.integers(1, 4)))
        self.values = [self.program.input]
        self.names = [self.variable() for _ in range(self.rng.integers(1, 4))]

    def variable(self) -> str:
        rows = int(self.rng.integers(1, 5))
        start = None
        if self.rng.random() < 0.5:
            shape = (1, rows, 1, self.program.channels)
            start = self.rng.integers(-128, 128, shape, np.int8)
        return self.program.variable(f"v{len(self.program.handles)}", rows, start)

    def made(self, steps: int) -> Graph:
        p = self.program
        kinds = (self.read, self.assign, self.sum, self.reshape, self.cut, self.join)
        for _ in range(steps):
            if self.rng.random() < 0.35:
                self.stream()
            else:
                kinds[self.rng.integers(len(kinds))]()
        for name, (handle, rows) in p.handles.items():
            if not any(op.kind == "ASSIGN_VARIABLE" and op.inputs[0] == handle for op in p.ops):
                p.assign(name, self.fitting(rows))
        # The last results meet in an output, so that none of them is free to go.
        return p.graph(p.join(*(self.any() for _ in range(3))))

    def any(self) -> int:
        # Recent ones more often: long lives make every shortcut illegal.
        recent = self.values[-4:] if self.rng.random() < 0.7 else self.values
        return int(self.rng.choice(recent))

    def name(self) -> str:
        return str(self.rng.choice(self.names))

    def fitting(self, rows: int) -> int:
        """Return a value of so many rows."""
        p, value = self.program, self.any()
        while p.rows(value) < rows:
            value = p.join(value, self.any())
        if p.rows(value) > rows:
            value = p.cut(value, 0, rows)
        return value

    def read(self) -> None:
        self.values.append(self.program.read(self.name()))

    def assign(self) -> None:
        name = self.name()
        self.program.assign(name, self.fitting(self.program.handles[name][1]))

    def sum(self) -> None:
        one = self.any()
        self.values.append(self.program.sum(one, self.fitting(self.program.rows(one))))

    def reshape(self) -> None:
        self.values.append(self.program.reshaped(self.any()))

    def cut(self) -> None:
        value = self.any()
        begin, end = sorted(self.rng.choice(self.program.rows(value) + 1, 2, replace=False))
        self.values.append(self.program.cut(value, int(begin), int(end)))

    def join(self) -> None:
        self.values.append(self.program.join(self.any(), self.any()))

    def stream(self) -> None:
        """The pattern of streaming convolutions, whole or with something between."""
        p, rng = self.program, self.rng
        name = self.variable() if rng.random() < 0.7 else self.name()
        rows = p.handles[name][1]
        early = self.any()
        old = p.read(name)
        new = early if rng.random() < 0.3 else p.sum(early, early)
        if rng.random() < 0.15:
            self.assign()
        if rng.random() < 0.4 and p.rows(new) < rows:  # the variable is the whole window
            window = p.join(p.cut(old, p.rows(new), rows), new)
            kept = window
        else:
            window = p.join(old, new)
            kept = p.cut(window, p.rows(window) - rows, p.rows(window))
        if rng.random() < 0.15:
            self.read()
        if rng.random() < 0.9:
            p.assign(name, kept)
        self.values += [window] * 2
        if rng.random() < 0.2:
            self.values += [old, kept]
