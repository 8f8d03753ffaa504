"""Pareto fronts: of points that are to be small in every coordinate, those that none dominates."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")


def dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    """Return whether `one` is nowhere larger than `other` and somewhere smaller."""
    pairs = list(zip(one, other, strict=True))
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


def front(things: Iterable[T], point: Callable[[T], Sequence[float]]) -> list[T]:
    """Return the things whose point none dominates, by rising point; of equal points the first.

    One pass: in lexicographic order a thing can only be dominated by one before it.
    """
    kept: list[T] = []
    points: list[tuple[float, ...]] = []
    for thing in sorted(things, key=lambda thing: tuple(point(thing))):
        here = tuple(point(thing))
        if not any(there == here or dominates(there, here) for there in points):
            kept.append(thing)
            points.append(here)
    return kept
