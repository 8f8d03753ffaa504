"""What `edgeasr run` shows of a stream: lines, JSON a line, or a view that stays in its place."""

import json
import math
import sys
from collections import deque
from types import TracebackType
from typing import Self

import numpy as np
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from edgeasr.cli import console
from edgeasr.cli.sounds import Heard
from edgeasr.client import Event, Level, Scores
from edgeasr.connect import Connected

_LEVEL_EVERY_S = 0.5
_FLOOR_DB = -90.0
_BAR = 40
_WORDS = 8
_LABELS = 6


class Lines:
    """One line for each word, and, with `level`, one for the level twice a second."""

    def __init__(self, connected: Connected, *, level: bool) -> None:
        self.words = 0
        self._labels = connected.hello.labels
        self._rate = connected.hello.sample_rate_hz
        self._level = level
        self._gathered = _Gathered(int(_LEVEL_EVERY_S * self._rate))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        pass

    def show(self, heard: Heard) -> None:
        """Show one thing that came."""
        what = heard.what
        if isinstance(what, Event):
            self.words += 1
            self._word(self._labels[what.label], what.score / 255, what.sample, heard.latency_s)
        elif self._level and isinstance(what, Level):
            whole = self._gathered.add(what)
            if whole is not None:
                self._loud(whole)
        sys.stdout.flush()

    def _word(self, label: str, score: float, sample: int, latency_s: float | None) -> None:
        late = "" if latency_s is None else f"  {1000 * latency_s:4.0f} ms after it was spoken"
        at = sample / self._rate
        console.out.print(f"{at:8.2f} s  {label:<16} {score:.2f}{late}", markup=False)

    def _loud(self, level: Level) -> None:
        console.out.print(f"{level.heard / self._rate:8.2f} s  {told(level)}", markup=False)


class JsonLines(Lines):
    """The same as JSON, an object a line."""

    def _word(self, label: str, score: float, sample: int, latency_s: float | None) -> None:
        line = {"time_s": round(sample / self._rate, 3), "label": label, "score": round(score, 4)}
        late = {} if latency_s is None else {"latency_s": round(latency_s, 3)}
        print(json.dumps(line | late), flush=True)

    def _loud(self, level: Level) -> None:
        line = {
            "time_s": round(level.heard / self._rate, 3),
            "level_db": round(level.decibels, 1),
            "peak_db": round(level.peak_decibels, 1),
            "clipped": level.clipped,
        }
        print(json.dumps(line), flush=True)


class View(Lines):
    """A view in a terminal: level, scores, and the last words, each in its place."""

    def __init__(self, connected: Connected, *, level: bool) -> None:
        super().__init__(connected, level=True)
        self._title = f"{connected.hello.model_name} on {connected.hello.board}"
        self._quantization = connected.model.graph.tensor(
            connected.model.graph.outputs[0]
        ).quantization
        self._scores: np.ndarray | None = None
        self._loudness: Level | None = None
        self._last: deque[str] = deque(maxlen=_WORDS)
        self._live = Live(console=console.out, refresh_per_second=10)

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._live.__exit__(kind, error, at)

    def show(self, heard: Heard) -> None:
        if isinstance(heard.what, Scores):
            self._scores = _real(heard.what.values, self._quantization)
        elif isinstance(heard.what, Level):
            self._loudness = heard.what
        super().show(heard)
        self._live.update(self.render())

    def _word(self, label: str, score: float, sample: int, latency_s: float | None) -> None:
        late = "" if latency_s is None else f"{1000 * latency_s:5.0f} ms"
        self._last.append(f"{sample / self._rate:8.2f} s  {label:<16} {score:.2f} {late}")

    def _loud(self, level: Level) -> None:
        pass

    def render(self) -> Group:
        """Return what is on the terminal now."""
        parts: list[Text | Table] = [Text(self._title, style="bold")]
        if self._loudness is not None:
            share = 1 - max(self._loudness.decibels, _FLOOR_DB) / _FLOOR_DB
            style = "red" if self._loudness.clipped else "green"
            parts.append(Text(f"{_bar(share)} {told(self._loudness)}", style=style))
        if self._scores is not None:
            table = Table(box=None, show_header=False, pad_edge=False)
            for index in np.argsort(self._scores)[::-1][:_LABELS]:
                score = float(self._scores[index])
                table.add_row(self._labels[index], _bar(score), f"{score:.2f}")
            parts.append(table)
        parts += [Text(word) for word in self._last]
        return Group(*parts)


class _Gathered:
    """Levels of short pieces become one of at least so many samples."""

    def __init__(self, samples: int) -> None:
        self._due = samples
        self._pieces: list[Level] = []

    def add(self, level: Level) -> Level | None:
        """Return the level of what was gathered once it is enough."""
        self._pieces.append(level)
        count = sum(piece.samples for piece in self._pieces)
        if count < self._due:
            return None
        pieces, self._pieces = self._pieces, []
        energy = sum(piece.samples * piece.rms**2 for piece in pieces)
        return Level(
            heard=level.heard,
            samples=count,
            rms=math.sqrt(energy / count),
            peak=max(piece.peak for piece in pieces),
            clipped=sum(piece.clipped for piece in pieces),
        )


def told(level: Level) -> str:
    """Return a level as people read it."""
    clipped = f", {level.clipped} samples clipped" if level.clipped else ""
    return f"level {level.decibels:6.1f} dB, peak {level.peak_decibels:6.1f} dB{clipped}"


def _bar(share: float) -> str:
    filled = round(_BAR * min(max(share, 0.0), 1.0))
    return "█" * filled + "·" * (_BAR - filled)


def _real(values: np.ndarray, quantization: object) -> np.ndarray:
    """Return scores as the numbers that they stand for."""
    if quantization is None or values.dtype.kind == "f":
        return values.astype(np.float64)
    return (values.astype(np.float64) - quantization.zero_points[0]) * quantization.scales[0]
