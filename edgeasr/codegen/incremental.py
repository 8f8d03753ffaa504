"""A window model to a streaming one that computes new rows only, with the same scores bit for bit.

In a stream the window moves by `hop` frames from one inference to the next. A row of a layer that
depends on frames and weights alone is the same in both windows, but for its place: it is kept,
and only the rows of the new frames are computed. The result is a graph of ordinary operations with
resource variables, which hold the rows that a later operation still needs.

Refused, by layer: padding in time, as rows at the window's edge then depend on where it ends;
strides in time whose product does not divide the hop, as a row then falls between those kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from edgeasr.codegen.macs import macs
from edgeasr.errors import InputError
from edgeasr.graph import Graph, Op, Tensor

_WINDOWED = ("CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "MAX_POOL_2D")
_EACH = frozenset({
    "ABS", "ADD", "DEQUANTIZE", "DIV", "ELU", "HARD_SWISH", "LEAKY_RELU", "LOGISTIC", "MAXIMUM",
    "MINIMUM", "MUL", "QUANTIZE", "RELU", "RELU6", "SUB", "SQUARED_DIFFERENCE", "TANH",
})  # fmt: skip
_VIEWS = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")


@dataclass(frozen=True, eq=False)
class Incremental:
    """A streaming graph whose input is the `hop` newest frames.

    frames: of the whole window. macs, window_macs: of an inference, and of one of the window model.
    """

    graph: Graph
    frames: int
    hop: int
    macs: int
    window_macs: int

    @property
    def steps(self) -> int:
        """Inferences from a reset to the first whose scores are those of a whole window."""
        return -(-self.frames // self.hop)


@dataclass(frozen=True)
class _Rows:
    """A tensor that has `count` rows in time, `new` of them in each inference.

    axis: of time; None where rows lie side by side in the last axis. stride: frames from one row to
    the next. first: the oldest row that an operation needs in an inference.
    """

    tensor: Tensor
    count: int
    axis: int | None
    stride: int
    new: int
    first: int

    @property
    def newest(self) -> int:
        """The first of the new rows."""
        return self.count - self.new

    def shape(self, count: int) -> tuple[int, ...]:
        """Return the shape of a tensor of so many of the rows."""
        axis = len(self.tensor.shape) - 1 if self.axis is None else self.axis
        size = self.tensor.shape[axis] // self.count * count
        return (*self.tensor.shape[:axis], size, *self.tensor.shape[axis + 1 :])


def transform(graph: Graph, frames: int, hop: int) -> Incremental:
    """Return the streaming form of a window model. Raises InputError, naming the layer, if none is.

    frames: of the window, which is the graph's input. hop: frames between two inferences.
    """
    if graph.stateful:
        raise InputError("the model is a streaming one already")
    if not 0 < hop < frames:
        raise InputError(f"hop is {hop} frames; the window has {frames}: nothing would be kept")
    rows = _needed(graph, _flow(graph, frames, hop))
    made = _Writer(graph, rows).write()
    counts = [sum(macs(g, op) for op in g.ops) for g in (made, graph)]
    return Incremental(made, frames, hop, *counts)


def problem(graph: Graph, frames: int, hop: int) -> str:
    """Return why a model has no streaming form of the same scores; "" where it has one."""
    try:
        transform(graph, frames, hop)
    except InputError as error:
        return str(error)
    return ""


def _fail(op: Op, what: str) -> InputError:
    return InputError(f"operator #{op.index} {op.kind}: {what}")


def _time_axis(shape: tuple[int, ...], count: int) -> int | None:
    """Return the axis of `count` rows: the first, but for axes of one element."""
    for axis, size in enumerate(shape):
        if size == count:
            return axis
        if size != 1:
            break
    return None


def _flow(graph: Graph, frames: int, hop: int) -> dict[int, _Rows]:
    """Return the tensors that have an axis of time and are computed row by row."""
    (source,) = graph.inputs
    window = graph.tensor(source)
    axis = _time_axis(window.shape, frames)
    if axis is None and window.shape[-1] != window.elements:
        raise InputError(
            f'input "{window.name}" is {list(window.shape)}; its time is not outermost'
        )
    found = {source: _Rows(window, frames, axis, 1, hop, frames - hop)}
    for op in graph.ops:
        made = _output(graph, op, found, hop)
        if made is not None:
            found[op.outputs[0]] = made
    if len(found) == 1:
        raise _fail(graph.ops[0], "needs the whole window at once")
    return found


def _output(graph: Graph, op: Op, found: Mapping[int, _Rows], hop: int) -> _Rows | None:
    """Return the rows that an operation makes of rows; None where it needs the whole window."""
    sources = [found[i] for i in op.inputs if i in found]
    if not sources or len(op.outputs) != 1:
        return None
    source, target = sources[0], graph.tensor(op.outputs[0])
    if op.kind in _VIEWS:
        axis = _time_axis(target.shape, source.count)
        return None if axis is None else replace(source, tensor=target, axis=axis)
    if source.axis is None:
        return None
    if op.kind in _WINDOWED and source.axis in (1, 2):
        return _windowed(graph, op, source, target, hop)
    if op.kind in _EACH and _alike(graph, op, sources, target):
        return replace(source, tensor=target)
    if op.kind in ("PAD", "PADV2") and _pads_no_row(graph, op, source):
        return replace(source, tensor=target)
    return None


def _alike(graph: Graph, op: Op, sources: list[_Rows], target: Tensor) -> bool:
    """Return whether an operation makes each row of the same row of each of its inputs."""
    one = sources[0]
    if any((s.count, s.axis, s.stride, s.tensor.shape) !=
           (one.count, one.axis, one.stride, one.tensor.shape) for s in sources):  # fmt: skip
        return False
    others = [
        graph.tensor(i) for i in op.inputs if i >= 0 and i not in {s.tensor.index for s in sources}
    ]
    behind = len(target.shape) - one.axis
    constant = all(
        t.data is not None and (len(t.shape) < behind or t.shape[-behind] == 1) for t in others
    )
    return constant and target.shape == one.tensor.shape


def _pads_no_row(graph: Graph, op: Op, source: _Rows) -> bool:
    pads = graph.tensor(op.inputs[1]).data
    return pads is not None and not pads[: source.axis + 1].any()


def _reach(graph: Graph, op: Op, axis: int) -> tuple[int, int]:
    """Return the rows that an output row of a windowed operation is made of, and its stride."""
    side = "hw"[axis - 1]
    if op.kind in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
        taps, dilation = int(op.options[f"filter_{('height', 'width')[axis - 1]}"]), 1
    else:
        taps = graph.tensor(op.inputs[1]).shape[axis]
        dilation = int(op.options.get(f"dilation_{side}_factor", 1))
    return (taps - 1) * dilation + 1, int(op.options[f"stride_{side}"])


def _windowed(graph: Graph, op: Op, source: _Rows, target: Tensor, hop: int) -> _Rows | None:
    count = target.shape[source.axis]
    reach, stride = _reach(graph, op, source.axis)
    if reach == source.count and count == 1:
        return None  # a pooling over all time
    padded = (count - 1) * stride + reach - source.count
    if op.options["padding"] == "SAME" and padded > 0:
        raise _fail(
            op,
            f"pads {padded} of {source.count + padded} rows in time, so its rows at the window's "
            "edges change as the window moves; only layers without padding in time (VALID) can be "
            "computed incrementally, as of 'edgeasr train --model ds_stream'",
        )
    total = source.stride * stride
    if hop % total:
        raise _fail(
            op,
            f"makes a row every {total} frames, and the window moves by {hop}; the hop must be a "
            f"multiple of {total}",
        )
    new = hop // total
    if new >= count:
        return None  # none of its rows lasts
    return _Rows(target, count, source.axis, total, new, count - new)


def _wanted(graph: Graph, op: Op, source: _Rows, target: _Rows | None) -> tuple[int, int]:
    """Return first and end of the rows that an operation needs of an input in an inference."""
    if target is None:
        return 0, source.count
    if op.kind in _WINDOWED:
        reach, stride = _reach(graph, op, source.axis)
        return target.newest * stride, (target.count - 1) * stride + reach
    return source.newest, source.count


def _needed(graph: Graph, rows: Mapping[int, _Rows]) -> dict[int, _Rows]:
    """Return the rows with the oldest that each tensor must keep."""
    first = {index: r.newest for index, r in rows.items()}
    for op in graph.ops:
        for index in op.inputs:
            if index in rows:
                start, _ = _wanted(graph, op, rows[index], rows.get(_made(op)))
                first[index] = min(first[index], start)
    for index in set(graph.outputs) & set(rows):
        first[index] = 0
    return {index: replace(r, first=first[index]) for index, r in rows.items()}


def _made(op: Op) -> int:
    return op.outputs[0] if op.outputs else -1


class _Writer:
    """Writes the streaming graph: the tensors of the old one, smaller, and variables of theirs."""

    def __init__(self, graph: Graph, rows: Mapping[int, _Rows]):
        self._graph, self._rows = graph, rows
        self._tensors: list[Tensor] = list(graph.tensors)
        self._ops: list[Op] = []
        # By tensor of the old graph: a tensor, and the first row that it holds.
        self._held: dict[int, tuple[int, int]] = {}
        self._old: dict[int, tuple[int, int]] = {}

    def write(self) -> Graph:
        graph = self._graph
        for index, rows in self._rows.items():
            self._tensors[index] = replace(rows.tensor, shape=rows.shape(rows.new))
        (source,) = graph.inputs
        self._read(source)
        self._keep(source)
        for op in graph.ops:
            self._operation(op)
        outputs = tuple(self._part(i, 0, self._rows[i].count) if i in self._rows else i
                        for i in graph.outputs)  # fmt: skip
        return replace(graph, tensors=tuple(self._tensors), ops=tuple(self._ops), outputs=outputs)

    def _operation(self, op: Op) -> None:
        target = self._rows.get(_made(op))
        inputs = list(op.inputs)
        for position, index in enumerate(op.inputs):
            if index in self._rows:
                span = _wanted(self._graph, op, self._rows[index], target)
                inputs[position] = self._part(index, *span)
        options = op.options
        if op.kind == "RESHAPE":  # the shape is the output's
            inputs, options = inputs[:1], {}
        if target is not None:
            self._read(target.tensor.index)
        self._add(op.kind, tuple(inputs), op.outputs, options, op.version)
        if target is not None:
            self._keep(target.tensor.index)

    def _read(self, index: int) -> None:
        """Take the rows of earlier inferences, before any new one is made."""
        rows = self._rows[index]
        kept = rows.newest - rows.first
        if kept:
            name = f"rows_{index}"
            handle = self._tensor(rows, (1,), f"{name}_handle", dtype="resource")
            old = self._tensor(rows, rows.shape(kept), f"{name}_old")
            self._add("VAR_HANDLE", (), (handle,), {"container": "", "shared_name": name})
            self._add("READ_VARIABLE", (handle,), (old,))
            self._old[index] = handle, old

    def _keep(self, index: int) -> None:
        """Join new rows with those of earlier inferences, and keep what the next one needs."""
        rows = self._rows[index]
        self._held[index] = index, rows.newest
        if index not in self._old:
            return
        handle, old = self._old[index]
        whole = self._tensor(rows, rows.shape(rows.count - rows.first), f"rows_{index}")
        axis = {"axis": rows.axis, "fused_activation_function": "NONE"}
        self._add("CONCATENATION", (old, index), (whole,), axis)
        self._held[index] = whole, rows.first
        last = self._slice(rows, whole, rows.new, rows.count - rows.first)
        self._add("ASSIGN_VARIABLE", (handle, last), ())

    def _part(self, index: int, start: int, end: int) -> int:
        """Return the tensor that holds the rows from `start` to before `end`."""
        rows = self._rows[index]
        held, first = self._held[index]
        if (start, end) == (first, rows.count):
            return held
        return self._slice(rows, held, start - first, end - first)

    def _slice(self, rows: _Rows, source: int, start: int, end: int) -> int:
        made = self._tensor(rows, rows.shape(end - start), f"rows_{start}_to_{end}")
        shape = self._tensors[source].shape
        begin, stop, step = [0] * len(shape), list(shape), [1] * len(shape)
        begin[rows.axis], stop[rows.axis] = start, end
        ends = [self._constant(values) for values in (begin, stop, step)]
        masks = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
        options = dict.fromkeys(masks, 0) | {"offset": False}
        self._add("STRIDED_SLICE", (source, *ends), (made,), options)
        return made

    def _constant(self, values: list[int]) -> int:
        self._tensors.append(
            Tensor(
                len(self._tensors), "bounds", (len(values),), "int32", np.array(values, np.int32)
            )
        )
        return len(self._tensors) - 1

    def _tensor(self, rows: _Rows, shape: tuple[int, ...], name: str, dtype: str = "") -> int:
        like = rows.tensor
        quantization = None if dtype else like.quantization
        self._tensors.append(
            Tensor(len(self._tensors), name, shape, dtype or like.dtype, quantization=quantization)
        )
        return len(self._tensors) - 1

    def _add(
        self,
        kind: str,
        inputs: tuple[int, ...],
        outputs: tuple[int, ...],
        options: Mapping[str, object] | None = None,
        version: int = 1,
    ) -> None:
        self._ops.append(Op(len(self._ops), kind, inputs, outputs, options or {}, version))
