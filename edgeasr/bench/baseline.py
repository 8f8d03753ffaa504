"""A baseline: instructions, flash and RAM by board, engine and model, in a JSON file to commit.

A figure may fall at will; one that grows by more than a tolerance is worse, and said with what it
was. What the file does not name is new, and never worse.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeasr import hil
from edgeasr.bench.comparison import Comparison
from edgeasr.errors import InputError

FORMAT = 1
TOLERANCE_PERCENT = 1.0
_NAMES = {"instructions": "instructions", "flash_bytes": "flash", "ram_bytes": "RAM"}

# Figure by its name, by board, engine and model.
Figures = dict[str, dict[str, dict[str, dict[str, int]]]]


@dataclass(frozen=True)
class Change:
    """One figure, then and now."""

    model: str
    board: str
    engine: str
    figure: str
    old: int
    new: int

    @property
    def percent(self) -> float:
        return 100 * (self.new - self.old) / self.old if self.old else 100.0 * bool(self.new)

    def __str__(self) -> str:
        return (
            f"{self.model} on {self.board}, {self.engine}: {_NAMES[self.figure]} "
            f"{self.old:,} → {self.new:,} ({self.percent:+.1f} %)"
        )


def figures(found: Sequence[Comparison]) -> Figures:
    """Return the figures of every engine that ran; instructions only where they are counted."""
    held: Figures = {}
    for one in found:
        for engine in one.engines:
            if engine.report is None:
                continue
            values = {name: getattr(engine, name) for name in _NAMES}
            kept = {name: value for name, value in values.items() if value is not None}
            held.setdefault(one.board, {}).setdefault(engine.engine, {})[one.model] = kept
    return held


def load(path: Path) -> Figures:
    """Read a baseline. Raises InputError when there is none, or it is damaged."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"{path}: there is no baseline; write one with --baseline {path} --update-baseline"
        ) from None
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path}: not readable as a baseline ({error}); restore it, or remove it and write "
            "another with --update-baseline"
        ) from None
    if not isinstance(raw, dict) or raw.get("format") != FORMAT or not _whole(raw.get("boards")):
        raise InputError(
            f"{path}: not a baseline of format {FORMAT}; restore it, or remove it and write "
            "another with --update-baseline"
        )
    return raw["boards"]


def _whole(boards: object) -> bool:
    """Whether every level is a mapping, and every figure a known one and a whole number."""
    levels: list[object] = [boards]
    named: list[str] = []
    for _ in range(4):
        if not all(isinstance(level, dict) for level in levels):
            return False
        named = [name for level in levels for name in level]
        levels = [value for level in levels for value in level.values()]
    return all(name in _NAMES for name in named) and all(type(v) is int for v in levels)


def save(path: Path, found: Sequence[Comparison]) -> None:
    """Write what was found over what the file has of the same boards, engines and models."""
    held = load(path) if path.exists() else {}
    for board, engine, model, values in _each(figures(found)):
        held.setdefault(board, {}).setdefault(engine, {})[model] = values
    text = json.dumps({"format": FORMAT, "boards": held}, indent=1, sort_keys=True)
    hil.write_text(path, text + "\n")


def changes(held: Figures, found: Sequence[Comparison]) -> list[Change]:
    """Return every figure that both have and that is not the same."""
    changed = []
    for board, engine, model, values in _each(figures(found)):
        known = held.get(board, {}).get(engine, {}).get(model, {})
        changed += [
            Change(model, board, engine, name, known[name], value)
            for name, value in values.items()
            if name in known and known[name] != value
        ]
    return changed


def unknown(held: Figures, found: Sequence[Comparison]) -> list[str]:
    """Return `model on board, engine` of what was measured and the baseline does not have."""
    return [
        f"{model} on {board}, {engine}"
        for board, engine, model, _ in _each(figures(found))
        if model not in held.get(board, {}).get(engine, {})
    ]


def lost(held: Figures, found: Sequence[Comparison]) -> list[str]:
    """Return what the baseline has figures of and that did not run now, with the reason."""
    return [
        f"{one.model} on {one.board}, {engine.engine}: does not run any more: {engine.why}"
        for one in found
        for engine in one.engines
        if engine.report is None and one.model in held.get(one.board, {}).get(engine.engine, {})
    ]


def _each(held: Figures) -> Iterator[tuple[str, str, str, dict[str, int]]]:
    for board, engines in held.items():
        for engine, models in engines.items():
            for model, values in models.items():
                yield board, engine, model, values
