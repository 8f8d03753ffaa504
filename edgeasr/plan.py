"""The memory plan: which bytes of the arena each tensor has, decided at export.

Lifetimes of tensors and scratch become offsets such that nothing that is live at the same time
overlaps. An operation that works in place writes its result over an input that nobody needs any
more: both then share memory, from the same address on or with the input further ahead, where the
result reaches only what was read before. The lower bound (most bytes live at once)
tells how good the plan is. What lasts from one inference to the next lies behind the arena, in
memory that nothing shares.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from edgeasr.graph import Graph

ALIGNMENT = 16
_NAMED = 4  # of more tensors that share memory, the first and the last are named


@dataclass(frozen=True)
class Buffer:
    """Memory wanted from step `first` to step `last`, both included.

    name: the tensors that share it, or the operator whose scratch it is. Steps are positions in the
    list of operators; -1 is before the first.
    """

    name: str
    bytes: int
    first: int
    last: int
    scratch: bool = False

    @property
    def aligned_bytes(self) -> int:
        return -(-self.bytes // ALIGNMENT) * ALIGNMENT

    def meets(self, other: "Buffer") -> bool:
        """True when both are live at some step."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True)
class Placed:
    """A buffer with its offset in the arena, in bytes."""

    buffer: Buffer
    offset: int

    @property
    def end(self) -> int:
        return self.offset + self.buffer.aligned_bytes


@dataclass(frozen=True)
class Kept:
    """State: memory that lasts from one inference to the next, under a unique name.

    tensors: those that live in it, by index, with their offset from its start.
    """

    name: str
    bytes: int
    tensors: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """Where everything lies: the arena, and behind it the state.

    tensors and scratch map indices (of tensors, of ops) to offsets; those from arena_bytes on are
    in the state. placed: what is in the arena; state: what lies behind it.
    """

    arena_bytes: int
    lower_bound_bytes: int
    placed: tuple[Placed, ...]
    tensors: Mapping[int, int]
    scratch: Mapping[int, int]
    state: tuple[Placed, ...] = ()

    @property
    def state_bytes(self) -> int:
        return sum(p.buffer.aligned_bytes for p in self.state)

    @property
    def ram_bytes(self) -> int:
        """Bytes of arena and state together."""
        return self.arena_bytes + self.state_bytes

    def live_bytes(self, step: int) -> int:
        """Bytes wanted at a step, without gaps."""
        return sum(
            p.buffer.aligned_bytes for p in self.placed if p.buffer.first <= step <= p.buffer.last
        )


def make(
    graph: Graph,
    *,
    aliases: Mapping[int, int] | None = None,
    overwrites: Mapping[int, int] | None = None,
    ahead: Mapping[int, int] | None = None,
    scratch_bytes: Mapping[int, int] | None = None,
    kept: Sequence[Kept] = (),
) -> Plan:
    """Plan the memory of a graph.

    aliases: tensor -> tensor whose memory it shares. overwrites: op index -> input over which its
    first output may be written; it is where that makes the arena smaller, or no larger. ahead: op
    index -> bytes, a multiple of ALIGNMENT, by which that input has to lie further on than the
    output; 0 for an op that is not named.
    scratch_bytes: op index -> bytes that the kernel needs during the call. kept: the state.
    Constants have no place in the arena.
    """
    planner = _Planner(graph, aliases or {}, ahead or {}, scratch_bytes or {}, kept)
    chosen = {}
    for op, source in sorted((overwrites or {}).items()):
        if planner.can_overwrite(op, source, chosen):
            chosen[graph.ops[op].outputs[0]] = source
    best = planner.plan(chosen)
    for target, source in list(chosen.items()):
        # A large input that a small output keeps alive can cost more than it saves.
        if planner.lengthens(target, source):
            fewer = {t: s for t, s in chosen.items() if t != target}
            made = planner.plan(fewer)
            if made.arena_bytes < best.arena_bytes:
                best, chosen = made, fewer
    return min(best, planner.plan({}), key=lambda made: made.arena_bytes)


@dataclass(frozen=True)
class _Planner:
    """Makes plans of one graph that differ in what is written in place."""

    graph: Graph
    aliases: Mapping[int, int]
    ahead: Mapping[int, int]
    scratch_bytes: Mapping[int, int]
    kept: Sequence[Kept]

    def lengthens(self, target: int, source: int) -> bool:
        """True when both together may take more than the output alone."""
        tensor = self.graph.tensor
        return self._ahead_of(target) > 0 or tensor(source).bytes > tensor(target).bytes

    def can_overwrite(self, op: int, source: int, chosen: Mapping[int, int]) -> bool:
        """True when nobody needs the input after `op`, and both it and the output are in the arena.

        chosen: what other operations write over what.
        """
        graph, target = self.graph, self.graph.ops[op].outputs[0]
        roots = _roots(graph, {**self.aliases, **chosen})
        if source not in roots or roots[target] != target:
            return False
        shared = {tensor for tensor, root in roots.items() if root == roots[source]}
        elsewhere = {tensor for k in self.kept for tensor in k.tensors} | set(graph.outputs)
        if target in shared | elsewhere - set(graph.outputs) or shared & elsewhere:
            return False
        if any(graph.tensor(tensor).is_variable for tensor in shared):
            return False
        return all(user.index <= op for user in graph.ops if shared & {*user.inputs, *user.outputs})

    def plan(self, overwritten: Mapping[int, int]) -> Plan:
        steps = {target: -self._ahead_of(target) for target in overwritten}
        return _plan(
            self.graph, {**self.aliases, **overwritten}, steps, self.scratch_bytes, self.kept
        )

    def _ahead_of(self, target: int) -> int:
        return next((n for op, n in self.ahead.items() if target in self.graph.ops[op].outputs), 0)


def _plan(
    graph: Graph,
    aliases: Mapping[int, int],
    steps: Mapping[int, int],
    scratch_bytes: Mapping[int, int],
    kept: Sequence[Kept],
) -> Plan:
    roots = _roots(graph, aliases)
    places = _places(roots, aliases, steps)
    homes = {tensor: (k.name, at) for k in kept for tensor, at in k.tensors.items()}
    shared = {
        tensor: root
        for tensor, root in roots.items()
        if root not in homes and graph.tensor(root).dtype != "resource"
    }
    buffers = {("tensor", root): b for root, b in _tensor_buffers(graph, shared, places).items()}
    for op, count in scratch_bytes.items():
        if count:
            kind = graph.ops[op].kind
            buffers["scratch", op] = Buffer(f"scratch of #{op} {kind}", count, op, op, scratch=True)
    placed = _place(list(buffers.values()))
    offsets = {key: p.offset for key, p in zip(buffers, placed, strict=True)}
    arena_bytes = max((p.end for p in placed), default=0)
    state = _behind(arena_bytes, kept, len(graph.ops))
    starts = {p.buffer.name: p.offset for p in state}
    tensors = {
        t: offsets["tensor", r] + places[t] for t, r in shared.items() if ("tensor", r) in offsets
    }
    kept_tensors = {t: starts[homes[r][0]] + homes[r][1] for t, r in roots.items() if r in homes}
    return Plan(
        arena_bytes=arena_bytes,
        lower_bound_bytes=_lower_bound(buffers.values()),
        placed=tuple(placed),
        tensors=tensors | kept_tensors,
        scratch={op: at for (kind, op), at in offsets.items() if kind == "scratch"},
        state=state,
    )


def _behind(start: int, kept: Sequence[Kept], end: int) -> tuple[Placed, ...]:
    """Place the state, one after the other, from offset `start` on."""
    placed = []
    for one in kept:
        placed.append(Placed(Buffer(one.name, one.bytes, -1, end), start))
        start = placed[-1].end
    return tuple(placed)


def overlaps(placed: Sequence[Placed]) -> list[tuple[Placed, Placed]]:
    """Return the pairs that are live at the same time and share bytes: none in a right plan."""
    return [
        (a, b)
        for i, a in enumerate(placed)
        for b in placed[i + 1 :]
        if a.buffer.meets(b.buffer) and a.offset < b.end and b.offset < a.end
    ]


def _roots(graph: Graph, aliases: Mapping[int, int]) -> dict[int, int]:
    """Map every tensor that lives in the arena to the tensor that owns its memory."""
    used = {i for op in graph.ops for i in (*op.inputs, *op.outputs) if i >= 0}
    used |= {*graph.inputs, *graph.outputs}
    roots = {}
    for index in sorted(used):
        if graph.tensor(index).data is not None:
            continue
        root = index
        while root in aliases:
            root = aliases[root]
        roots[index] = root
    return roots


def _places(
    roots: Mapping[int, int], aliases: Mapping[int, int], steps: Mapping[int, int]
) -> dict[int, int]:
    """Return where each tensor lies in the memory that it shares.

    steps: how much further on an alias lies than the tensor whose memory it has.
    """
    places = {}
    for tensor in roots:
        at, place = tensor, 0
        while at in aliases:
            place += steps.get(at, 0)
            at = aliases[at]
        places[tensor] = place
    firsts: dict[int, int] = {}
    for tensor, root in roots.items():
        firsts[root] = min(firsts.get(root, 0), places[tensor])
    return {tensor: place - firsts[roots[tensor]] for tensor, place in places.items()}


def _tensor_buffers(
    graph: Graph, roots: Mapping[int, int], places: Mapping[int, int]
) -> dict[int, Buffer]:
    end = len(graph.ops)
    first: dict[int, int] = {}
    last: dict[int, int] = {}

    def touch(index: int, step: int) -> None:
        root = roots.get(index)
        if root is not None:
            first[root] = min(first.get(root, step), step)
            last[root] = max(last.get(root, step), step)

    for index in graph.inputs:
        touch(index, -1)
    for step, op in enumerate(graph.ops):
        for index in (*op.inputs, *op.outputs):
            touch(index, step)
    for index in graph.outputs:
        touch(index, end)
    return {r: _buffer(graph, roots, places, r, first[r], last[r]) for r in sorted(first)}


def _buffer(
    graph: Graph,
    roots: Mapping[int, int],
    places: Mapping[int, int],
    root: int,
    first: int,
    last: int,
) -> Buffer:
    shared = [i for i, r in roots.items() if r == root]
    names = [graph.tensor(i).name for i in shared]
    name = " = ".join(names) if len(names) <= _NAMED else f"{names[0]} … {names[-1]}"
    return Buffer(name, max(places[i] + graph.tensor(i).bytes for i in shared), first, last)


def _lower_bound(buffers: Iterable[Buffer]) -> int:
    known = list(buffers)
    steps = {b.first for b in known}
    return max(
        (sum(b.aligned_bytes for b in known if b.first <= s <= b.last) for s in steps), default=0
    )


def _place(buffers: Sequence[Buffer]) -> list[Placed]:
    """Place greedily in several orders, keep the smallest arena; ties go to the first order."""
    orders = (
        lambda b: (-b.aligned_bytes, b.first),
        lambda b: (b.first, -b.aligned_bytes),
        lambda b: (-(b.last - b.first), -b.aligned_bytes),
        lambda b: (-b.last, -b.aligned_bytes),
        lambda b: (-b.aligned_bytes * (b.last - b.first + 1), b.first),
    )
    best: list[Placed] = []
    best_bytes = -1
    for key in orders:
        order = sorted(range(len(buffers)), key=lambda i: key(buffers[i]))
        placed = _place_in_order(order, buffers)
        size = max((p.end for p in placed), default=0)
        if best_bytes < 0 or size < best_bytes:
            best, best_bytes = placed, size
    return best


def _place_in_order(order: Sequence[int], buffers: Sequence[Buffer]) -> list[Placed]:
    """Give each buffer, in turn, the lowest gap between the buffers that it meets."""
    done: dict[int, Placed] = {}
    for index in order:
        buffer = buffers[index]
        offset = 0
        meeting = (p for p in done.values() if p.buffer.meets(buffer))
        for other in sorted(meeting, key=lambda p: p.offset):
            if offset + buffer.aligned_bytes <= other.offset:
                break
            offset = max(offset, other.end)
        done[index] = Placed(buffer, offset)
    return [done[i] for i in range(len(buffers))]
