"""Scores along a stream become events; streams of foreign speech give false accepts per hour.

The rule is the device's: mean of the last scores, threshold, refractory time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from edgeasr.decision import Decider, Decision, Event


@dataclass(frozen=True)
class ScoredStream:
    """A stream that the model has heard.

    scores: int8 or int16 [inferences, labels]; samples: [inferences], samples heard by each
    inference; seconds: length of the stream; spoken: label index of its one word, None where there
    is none.
    """

    scores: np.ndarray
    samples: np.ndarray
    seconds: float
    spoken: int | None = None


@dataclass(frozen=True)
class OperatingPoint:
    """A decision rule with what it gives: words found (0 to 1), false accepts per hour."""

    decision: Decision
    found: float
    false_accepts_per_hour: float


def events(
    stream: ScoredStream, decision: Decision, labels: Sequence[str], sample_rate_hz: int
) -> list[Event]:
    """Return the events that the device would send for the stream."""
    decider = Decider(decision, labels, sample_rate_hz)
    pairs = zip(stream.scores, stream.samples, strict=True)
    made = (decider.push(row, int(sample)) for row, sample in pairs)
    return [event for event in made if event]


def false_accepts_per_hour(
    negative: Iterable[ScoredStream],
    decision: Decision,
    labels: Sequence[str],
    sample_rate_hz: int,
) -> float:
    """Return events per hour over streams that hold none of the words; nan without sound."""
    count, seconds = 0, 0.0
    for stream in negative:
        count += len(events(stream, decision, labels, sample_rate_hz))
        seconds += stream.seconds
    return count / (seconds / 3600) if seconds else float("nan")


def found(
    positive: Iterable[ScoredStream],
    decision: Decision,
    labels: Sequence[str],
    sample_rate_hz: int,
) -> float:
    """Return the share of streams of one word whose first event is that word; nan without any."""
    hits = []
    for stream in positive:
        made = events(stream, decision, labels, sample_rate_hz)
        hits.append(bool(made) and made[0].label == labels[stream.spoken])
    return float(np.mean(hits)) if hits else float("nan")


def choose(
    positive: Sequence[ScoredStream],
    negative: Sequence[ScoredStream],
    base: Decision,
    labels: Sequence[str],
    sample_rate_hz: int,
    *,
    limit_per_hour: float = 50.0,
    windows: Sequence[int] = (1, 2, 3, 4),
    thresholds: Sequence[float] = tuple(n / 20 for n in range(8, 20)),
) -> OperatingPoint:
    """Return the rule that finds most words with at most `limit_per_hour` false accepts.

    Where none stays below the limit, the one with the fewest false accepts. Of equals the higher
    threshold, then the shorter window. Use it on the split `val`, never on `test`.
    """
    points = []
    for window in sorted(windows):
        for threshold in sorted(thresholds, reverse=True):
            rule = replace(base, window=window, threshold=threshold)
            points.append(measure(positive, negative, rule, labels, sample_rate_hz))
    allowed = [p for p in points if p.false_accepts_per_hour <= limit_per_hour]
    if allowed:
        return max(allowed, key=lambda p: (p.found, p.decision.threshold))
    return min(points, key=lambda p: (p.false_accepts_per_hour, -p.found))


def measure(
    positive: Sequence[ScoredStream],
    negative: Sequence[ScoredStream],
    decision: Decision,
    labels: Sequence[str],
    sample_rate_hz: int,
) -> OperatingPoint:
    """Return what one rule gives."""
    return OperatingPoint(
        decision,
        found(positive, decision, labels, sample_rate_hz),
        false_accepts_per_hour(negative, decision, labels, sample_rate_hz),
    )
