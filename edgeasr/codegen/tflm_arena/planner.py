"""Where TFLite-Micro's GreedyMemoryPlanner puts buffers, step by step as it does.

The plan must be the same one, not a better one: the arena is as large as that plan. Buffers with an
offset of their own come first; the rest go by size, the largest first and of equals the last added
first, each into the first gap between those that live at the same time.
Source: tensorflow/lite/micro/memory_planner/greedy_memory_planner.cc.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Buffer:
    """size: bytes. first, last: time steps of its life. offset: where it must lie, None if free."""

    size: int
    first: int
    last: int
    offset: int | None = None

    def meets(self, other: "Buffer") -> bool:
        """True when both live at some time step."""
        return self.first <= other.last and other.first <= self.last


def plan_bytes(buffers: Sequence[Buffer]) -> int:
    """Return the bytes of memory that the plan of these buffers takes."""
    placed: list[tuple[int, Buffer]] = []  # by offset
    fixed = [buffer for buffer in buffers if buffer.offset is not None]
    free = [buffer for buffer in reversed(buffers) if buffer.offset is None]
    for buffer in (*fixed, *sorted(free, key=lambda b: -b.size)):
        offset = _gap(placed, buffer) if buffer.offset is None else buffer.offset
        position = next((i for i, (o, _) in enumerate(placed) if o > offset), len(placed))
        placed.insert(position, (offset, buffer))
    return max((offset + buffer.size for offset, buffer in placed), default=0)


def _gap(placed: Sequence[tuple[int, Buffer]], wanted: Buffer) -> int:
    """Return the first offset whose gap, between buffers of the same time, holds the buffer."""
    candidate = 0
    for offset, buffer in placed:
        if not buffer.meets(wanted):
            continue
        if offset - candidate >= wanted.size:
            return candidate
        candidate = max(candidate, offset + buffer.size)
    return candidate
