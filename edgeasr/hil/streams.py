"""Recordings as streams, for a model with state: every inference and every event, on both sides."""

import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgeasr.audio import Clip, read_clip
from edgeasr.client import Device, Event, Scores
from edgeasr.connect import connect
from edgeasr.decision import Decider
from edgeasr.errors import InputError
from edgeasr.hil.clips import spread
from edgeasr.hil.reference import Reference
from edgeasr.hil.report import Case, junit
from edgeasr.project import Project
from edgeasr.runners import INSTRUCTIONS

# Silence after a recording, so that a word at its very end is decided on.
TAIL_S = 0.5


@dataclass(frozen=True)
class StreamOutcome:
    """One recording, heard by both sides from a fresh start.

    spoken: index of the label in the model's, None for a recording of none that can be an event.
    device, host: their events in order. unequal: inferences whose outputs differ. instructions: the
    median of an inference, with the frame that led to it; None where the board's runner cannot
    count.
    """

    clip: Clip
    spoken: int | None
    device: tuple[Event, ...]
    host: tuple[Event, ...]
    inferences: int
    unequal: int
    features_equal: bool
    round_trip_s: float
    instructions: int | None

    def heard(self, side: str = "device") -> int | None:
        """Return the label of the first event; None without any."""
        events = getattr(self, side)
        return events[0].label if events else None

    @property
    def agrees(self) -> bool:
        return not self.disagreement

    @property
    def disagreement(self) -> str:
        wrong = {
            "features": not self.features_equal,
            f"{self.unequal} of {self.inferences} inferences": self.unequal > 0,
            "events": self.device != self.host,
        }
        return " and ".join(what for what, differs in wrong.items() if differs)


@dataclass(frozen=True)
class StreamReport:
    """All recordings of one run. Counts are of recordings, on one side.

    words: labels of events. counted: see Report.
    """

    board: str
    engine: str
    model: str
    model_sha256: str
    reference: str
    labels: tuple[str, ...]
    outcomes: tuple[StreamOutcome, ...]
    ignored: tuple[str, ...] = ()
    counted: str = INSTRUCTIONS

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(label for label in self.labels if label not in self.ignored)

    @property
    def agreement(self) -> float:
        """Part of the recordings that both sides hear alike, 0 to 1."""
        return float(np.mean([o.agrees for o in self.outcomes]))

    def spoken(self) -> int:
        return sum(o.spoken is not None for o in self.outcomes)

    def detected(self, side: str = "device") -> int:
        return sum(o.spoken is not None and o.heard(side) == o.spoken for o in self.outcomes)

    def missed(self, side: str = "device") -> int:
        return self.spoken() - self.detected(side)

    def false(self, side: str = "device") -> int:
        """Return how many recordings of none of the words make an event."""
        return sum(o.spoken is None and o.heard(side) is not None for o in self.outcomes)

    def accuracy(self, side: str = "device") -> float:
        """Part of the recordings whose word is detected, or that make no event where none is."""
        return float(np.mean([o.heard(side) == o.spoken for o in self.outcomes]))

    def instructions(self) -> int | None:
        """Return the median over the recordings; None if not counted."""
        counts = [o.instructions for o in self.outcomes]
        return None if None in counts else int(np.median(counts))

    def to_dict(self) -> dict[str, object]:
        return {
            "board": self.board,
            "engine": self.engine,
            "model": self.model,
            "model_sha256": self.model_sha256,
            "reference": self.reference,
            "clips": len(self.outcomes),
            "agreement": self.agreement,
            "inferences": sum(o.inferences for o in self.outcomes),
            "inferences_unequal": sum(o.unequal for o in self.outcomes),
            "spoken": self.spoken(),
            **{
                f"{what}_{side}": getattr(self, what)(side)
                for what in ("detected", "missed", "false", "accuracy")
                for side in ("device", "host")
            },
            f"inference_{self.counted}": self.instructions(),
            "labels": list(self.labels),
            "results": [self._row(o) for o in self.outcomes],
        }

    def _name(self, label: int | None) -> str | None:
        return None if label is None else self.labels[label]

    def _row(self, outcome: StreamOutcome) -> dict[str, object]:
        return {
            "clip": outcome.clip.id,
            "label": outcome.clip.label,
            "device": self._name(outcome.heard("device")),
            "host": self._name(outcome.heard("host")),
            "inferences": outcome.inferences,
            "inferences_unequal": outcome.unequal,
            "features_equal": outcome.features_equal,
            "events": [vars(event) for event in outcome.device],
            "round_trip_s": round(outcome.round_trip_s, 6),
        }

    def junit(self) -> str:
        """Return the run as JUnit XML: a test case a recording, failed where the sides disagree."""
        cases = (
            Case(
                group=f"hil.{self.board}.{o.clip.label}",
                name=o.clip.id,
                time_s=o.round_trip_s,
                failure=None if o.agrees else f"{o.disagreement} differ between device and host",
            )
            for o in self.outcomes
        )
        return junit(f"edgeasr hil {self.model} on {self.board}", self.to_dict(), cases)


def select_streams(
    clips: Iterable[Clip], *, split: str | None = None, limit: int = 0
) -> list[Clip]:
    """Return the recordings of a split (None: all), `limit` at most, spread evenly over the list.

    Those without a word of the model stay: the model is to keep quiet on them.
    """
    here = [c for c in clips if split is None or c.split == split]
    if not here:
        raise InputError(f'no clip to stream: none in split "{split}"; try --split all')
    return spread(here, limit)


def host_stream(reference: Reference, pcm: np.ndarray) -> tuple[list[Scores], list[Event], int]:
    """Return what the host hears in PCM from a fresh start: outputs, events, CRC-32 of features."""
    facts = reference.model.facts
    labels, rate = facts.labels, facts.front_end.sample_rate_hz
    rows = reference.features(pcm)
    decider = Decider(facts.decision, labels, rate)
    reference.reset()
    scores, events = [], []
    for end in range(facts.frames, len(rows) + 1, facts.decision.hop_frames):
        values = reference.scores(reference.window(rows[end - facts.frames : end]))
        sample = facts.front_end.samples_for(end)
        scores.append(Scores(values.copy(), sample))
        if event := decider.push(values, sample):
            events.append(Event(labels.index(event.label), event.score, event.sample))
    return scores, events, zlib.crc32(np.ascontiguousarray(rows, "<i2").tobytes())


def _same(reference: Reference, ours: Scores, theirs: Scores) -> bool:
    values = (theirs.values.tobytes(), ours.values.tobytes())
    return ours.sample == theirs.sample and reference.same(*values)


def stream_clip(
    device: Device,
    reference: Reference,
    clip: Clip,
    pcm: np.ndarray,
    count: Callable[[int], int | None] | None = None,
) -> StreamOutcome:
    """Let both sides hear PCM, int16 mono, of a recording.

    count: see Connected.
    """
    begin = time.monotonic()
    heard = list(device.stream([pcm], scores=True))
    took_s, summary = time.monotonic() - begin, device.stream_summary
    scores, events, crc = host_stream(reference, pcm)
    theirs = [item for item in heard if isinstance(item, Scores)]
    pairs = zip(scores, theirs, strict=False)
    labels, ignored = reference.model.facts.labels, reference.model.facts.decision.ignored
    known = clip.label in labels and clip.label not in ignored
    each = summary.inference_ticks // max(summary.inferences, 1)
    return StreamOutcome(
        clip=clip,
        spoken=labels.index(clip.label) if known else None,
        device=tuple(item for item in heard if isinstance(item, Event)),
        host=tuple(events),
        inferences=len(scores),
        unequal=sum(not _same(reference, *pair) for pair in pairs) + abs(len(scores) - len(theirs)),
        features_equal=crc == summary.features_crc,
        round_trip_s=took_s,
        instructions=count(each) if count else None,
    )


def stream_all(
    device: Device,
    reference: Reference,
    clips: Iterable[Clip],
    *,
    count: Callable[[int], int | None] | None = None,
    resample: bool = False,
) -> Iterator[StreamOutcome]:
    """Yield how both sides hear each recording, with a short silence behind it."""
    rate = reference.model.facts.front_end.sample_rate_hz
    tail = np.zeros(int(TAIL_S * rate), np.int16)
    for clip in clips:
        pcm = np.concatenate([read_clip(clip, rate, resample=resample), tail])
        yield stream_clip(device, reference, clip, pcm, count)


def run_streams(
    made: Project,
    clips: Sequence[Clip],
    *,
    port: str | None = None,
    baud: int | None = None,
    log: Path | None = None,
    resample: bool = False,
    on_outcome: Callable[[str], None] = lambda board: None,
) -> StreamReport:
    """Stream recordings through a built project's firmware, each from a fresh start.

    on_outcome hears the board's name each time. Raises what `connect` raises.
    """
    with connect(made, port=port, baud=baud, log=log) as connected:
        reference = Reference(connected.model, connected.hello.board, engine=made.manifest.engine)
        outcomes = []
        for outcome in stream_all(
            connected.device, reference, clips, count=connected.count, resample=resample
        ):
            outcomes.append(outcome)
            on_outcome(connected.hello.board)
    return StreamReport(
        board=made.manifest.board,
        engine=made.manifest.engine,
        model=made.manifest.model_name,
        model_sha256=made.manifest.model_sha256,
        reference=reference.name,
        labels=made.manifest.labels,
        outcomes=tuple(outcomes),
        ignored=connected.model.facts.decision.ignored,
        counted=connected.counted,
    )
