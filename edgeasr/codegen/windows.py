"""Resource variables without copies: tensors that live in a variable's memory.

READ_VARIABLE and ASSIGN_VARIABLE are copies. They are left out where it is certain that nobody sees
the difference, by the order of the operations:

- A window over a stream: the variable's rows, joined with new ones, become its next value. The
  window itself is what lasts; its rows move down, and the new ones are made at its end.
- A value that is read for the last time before the variable is assigned again is read in place.
- A value that is made when nobody needs the variable's old one any more is made in place.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from edgeasr.codegen.call import KernelCall, Nothing, TensorRef, Value
from edgeasr.codegen.flow import Flow, Lowered
from edgeasr.codegen.lower.view import OpView, call
from edgeasr.graph import Graph, Op, Variable, resource_variables


@dataclass(frozen=True, eq=False)
class Home:
    """The memory of a variable. initial: uint8; tensors: those that live in it, and from where."""

    initial: np.ndarray
    tensors: Mapping[int, int]


@dataclass(eq=False)
class _Uses:
    """A variable with its operations in order. tensors: roots that live in it, by offset."""

    variable: Variable
    handles: list[int] = field(default_factory=list)
    reads: list[Op] = field(default_factory=list)
    assigns: list[Op] = field(default_factory=list)
    tensors: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class _Window:
    """front: the rows that stay, from when on (operation `shift`) they are at the window's start.

    join: the operation that makes the window. last: the variable's next value, a tensor, with its
    offset. made: operations that have nothing left to do.
    """

    shift: Op
    front: int
    join: Op
    last: int
    offset: int
    made: tuple[Op, ...]


def settle(graph: Graph, lowered: Lowered) -> tuple[Lowered, dict[str, Home]]:
    """Return what is left to do, and the memory of each variable by its name."""
    settled = dict(lowered)
    flow = Flow(graph, lowered)
    homes: dict[str, Home] = {}
    taken: set[int] = set()
    for name, uses in _uses(graph).items():
        window = _window(flow, uses)
        if window and not taken & {window.front, flow.root(window.last), window.join.outputs[0]}:
            homes[name] = _slide(flow, uses, window, settled, taken)
        else:
            uses.tensors = dict.fromkeys(uses.handles, 0)
            _read_in_place(flow, uses, settled, taken)
            _make_in_place(flow, uses, settled, taken)
            homes[name] = Home(uses.variable.initial, uses.tensors)
    return settled, homes


def _uses(graph: Graph) -> dict[str, _Uses]:
    found: dict[str, _Uses] = {}
    variables = resource_variables(graph)
    for handle, variable in variables.items():
        found.setdefault(variable.name, _Uses(variable)).handles.append(handle)
    for op in graph.ops:
        if op.kind in ("READ_VARIABLE", "ASSIGN_VARIABLE"):
            uses = found[variables[op.inputs[0]].name]
            (uses.reads if op.kind == "READ_VARIABLE" else uses.assigns).append(op)
    return found


def _window(flow: Flow, uses: _Uses) -> _Window | None:
    """Return the window that a variable is part of, if it has the form that is known."""
    if len(uses.reads) != 1 or len(uses.assigns) != 1:
        return None
    (read,), (assign,) = uses.reads, uses.assigns
    old, new = read.outputs[0], assign.inputs[1]
    cut = flow.maker(new)
    if cut and cut.kind == "STRIDED_SLICE":  # the window is longer than the variable
        join = _join(flow, cut.inputs[0], old)
        if join:
            more = flow.graph.tensor(join.outputs[0]).bytes - uses.variable.bytes
            if _block(flow, cut) == (more, uses.variable.bytes):
                return _Window(read, old, join, new, more, (join, cut, assign))
        return None
    if cut is None or cut.kind != "CONCATENATION":
        return None
    cut = flow.maker(cut.inputs[0])  # the window is the variable
    if cut and cut.kind == "STRIDED_SLICE" and flow.root(cut.inputs[0]) == old:
        join = _join(flow, new, cut.outputs[0])
        if join and flow.users(old) == {cut.index}:
            kept = flow.graph.tensor(cut.outputs[0]).bytes
            if _block(flow, cut) == (uses.variable.bytes - kept, kept):
                return _Window(cut, cut.outputs[0], join, new, 0, (read, join, assign))
    return None


def _join(flow: Flow, window: int, front: int) -> Op | None:
    """Return the operation that makes `window` of `front` and one tensor behind it."""
    op = flow.maker(window)
    if op is None or op.kind != "CONCATENATION" or len(op.inputs) != 2:
        return None
    shape = flow.graph.tensor(op.outputs[0]).shape
    outer = math.prod(shape[: int(op.options["axis"]) % len(shape)])
    return op if outer == 1 and flow.root(op.inputs[0]) == front else None


def _block(flow: Flow, op: Op) -> tuple[int, int] | None:
    """Return first byte and bytes of a slice that is one block of its input."""
    made = flow.lowered[op.index]
    if isinstance(made, KernelCall) and made.kernel == "ear_copy_block":
        start, size = made.arguments[:2]
        return start.value, size.value
    return None


def _slide(
    flow: Flow,
    uses: _Uses,
    window: _Window,
    settled: dict[int, object],
    taken: set[int],
) -> Home:
    """Let a window last, and its rows move: return its memory."""
    graph, variable = flow.graph, uses.variable
    whole = window.join.outputs[0]
    size, kept = graph.tensor(whole).bytes, graph.tensor(window.front).bytes
    tensors = {window.front: 0, whole: 0, flow.root(window.last): window.offset}
    for op in window.made:
        settled[op.index] = Nothing()
        for index in op.outputs:  # also of a read that nobody sees: it takes no other memory
            tensors.setdefault(flow.root(index), 0)
    taken |= set(tensors)
    target = TensorRef(window.front, "void", written=True)
    settled[window.shift.index] = call("ear_shift", Value(size - kept), Value(kept), target)
    new = flow.root(window.join.inputs[1])
    maker = flow.maker(new)
    if flow.computed(new) and new not in taken and maker.index > window.shift.index:
        tensors[new] = kept
        taken.add(new)
    else:
        settled[window.join.index] = _append(flow, window.join, kept)
    # The oldest rows of a longer window are gone before the first inference looks at them.
    filled = np.full(size - variable.bytes, variable.initial[0], np.uint8)
    return Home(np.concatenate([filled, variable.initial]), tensors)


def _append(flow: Flow, join: Op, at: int) -> KernelCall:
    """Return the copy of new rows to the end of a window."""
    graph = flow.graph
    rows = graph.tensor(join.inputs[1])
    target = TensorRef(join.outputs[0], "void", written=True)
    source = OpView(graph, join).read(rows)
    return call("ear_append", Value(at), Value(rows.bytes), source, target)


def _read_in_place(flow: Flow, uses: _Uses, settled: dict[int, object], taken: set[int]) -> None:
    for read in uses.reads:
        value = read.outputs[0]
        later = range(read.index + 1, flow.last(value) + 1)
        if value not in taken and not any(op.index in later for op in uses.assigns):
            uses.tensors[value] = 0
            taken.add(value)
            settled[read.index] = Nothing()


def _make_in_place(flow: Flow, uses: _Uses, settled: dict[int, object], taken: set[int]) -> None:
    # By assignment: from when to when its value must be in the variable's memory.
    spans = {op.index: (op.index, op.index) for op in uses.assigns}
    for assign in uses.assigns:
        value = flow.root(assign.inputs[1])
        maker = flow.maker(value)
        if value in taken or not flow.computed(value):
            continue
        made, last = maker.index, max(assign.index, flow.last(value))
        others = (span for index, span in spans.items() if index != assign.index)
        if any(made <= end and start <= last for start, end in others):
            continue
        if any(_needs_old(flow, uses, read, made, assign.index) for read in uses.reads):
            continue
        spans[assign.index] = made, last
        uses.tensors[value] = 0
        taken.add(value)
        settled[assign.index] = Nothing()


def _needs_old(flow: Flow, uses: _Uses, read: Op, made: int, assigned: int) -> bool:
    """True when a value read before an assignment is used after the new one is made."""
    in_place = read.outputs[0] in uses.tensors
    last = max(read.index, flow.last(read.outputs[0])) if in_place else read.index
    return read.index <= assigned and last >= made
