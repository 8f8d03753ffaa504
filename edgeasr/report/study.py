"""A quantization study: what was measured, as dataclasses that JSON holds and a page shows.

Bytes are those of packed weights with their tables; shares and accuracies are 0 to 1; `command` is
what makes the numbers beside it again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean

from edgeasr.errors import InputError
from edgeasr.report import records

# Slack for sums of binary fractions: far below one clip of any test set.
_EPSILON = 1e-9


@dataclass(frozen=True)
class Seed:
    """One training and its test. disagreeing: test clips that the training graph and the converted
    model recognise differently; None where there is no training graph."""

    seed: int
    correct: int
    clips: int
    weight_bytes: int
    disagreeing: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.correct <= self.clips or self.clips < 1:
            raise InputError(f"{self.correct} of {self.clips} clips cannot be correct")
        if self.disagreeing is not None and not 0 <= self.disagreeing <= self.clips:
            raise InputError(f"{self.disagreeing} of {self.clips} clips cannot disagree")
        _positive(weight_bytes=self.weight_bytes)

    @property
    def accuracy(self) -> float:
        return self.correct / self.clips


@dataclass(frozen=True)
class Goal:
    """At most `points` (of 100) of accuracy lost, in the mean over seeds, against the reference;
    weights at most `share` of the int8 weights' bytes, for each seed."""

    points: float
    share: float

    def __post_init__(self) -> None:
        if self.points < 0 or self.share <= 0:
            raise InputError(f"goal of {self.points} points and share {self.share} is not possible")


@dataclass(frozen=True)
class Row:
    """One recipe. scheme: canonical text, or what mixes. method: post-training, QAT, incremental,
    search. instructions: of one inference on `core`. note: explains, for instance each
    disagreement."""

    recipe: str
    scheme: str
    method: str
    command: str
    seeds: tuple[Seed, ...]
    goal: Goal | None = None
    instructions: int | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if not self.seeds:
            raise InputError(f'recipe "{self.recipe}" has no seed')
        numbers = [one.seed for one in self.seeds]
        if len(set(numbers)) < len(numbers):
            raise InputError(f'recipe "{self.recipe}" has a seed twice: {numbers}')
        if self.instructions is not None:
            _positive(instructions=self.instructions)

    @property
    def accuracy(self) -> float:
        """Mean over seeds."""
        return fmean(one.accuracy for one in self.seeds)

    @property
    def weight_bytes(self) -> int:
        """Largest of the seeds."""
        return max(one.weight_bytes for one in self.seeds)

    @property
    def disagreeing(self) -> int | None:
        """Sum over seeds; None where no seed has a training graph."""
        known = [one.disagreeing for one in self.seeds if one.disagreeing is not None]
        return sum(known) if known else None


@dataclass(frozen=True)
class LayerRow:
    """One layer with weights. packing: form of the bytes. sqnr_*: signal to quantization noise in
    dB of the weights, and of the layer's output on real audio. accuracy_lost_alone: when only this
    layer is quantized so."""

    layer: str
    kind: str
    scheme: str
    packing: str
    bytes_before: int
    bytes_after: int
    sqnr_weights_db: float | None = None
    sqnr_activations_db: float | None = None
    accuracy_lost_alone: float | None = None

    def __post_init__(self) -> None:
        _positive(bytes_before=self.bytes_before, bytes_after=self.bytes_after)


@dataclass(frozen=True)
class LayerTable:
    """The layers of one recipe's model."""

    recipe: str
    command: str
    rows: tuple[LayerRow, ...]


@dataclass(frozen=True)
class Histogram:
    """Weights of a layer before quantization. edges: one more than counts, rising, in real units or
    in steps. levels: the grid that they go to, in the same units; axis: what the units are."""

    layer: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    levels: tuple[float, ...]
    axis: str = "weight"

    def __post_init__(self) -> None:
        if len(self.edges) != len(self.counts) + 1 or not self.counts:
            raise InputError(
                f'histogram of "{self.layer}": {len(self.edges)} edges do not bound '
                f"{len(self.counts)} counts; there must be one edge more"
            )
        if any(a >= b for a, b in zip(self.edges, self.edges[1:], strict=False)):
            raise InputError(f'histogram of "{self.layer}": the edges do not rise')
        if min(self.counts) < 0:
            raise InputError(f'histogram of "{self.layer}": a count is below 0')


@dataclass(frozen=True)
class Histograms:
    """Weights of one recipe's layers, with the grids."""

    recipe: str
    command: str
    histograms: tuple[Histogram, ...]


@dataclass(frozen=True)
class Point:
    """One evaluation of a search (see quantize.search.Found.rows). assignment: layer -> scheme."""

    accuracy: float
    loss: float
    flash_bytes: int
    instructions: int | None
    assignment: Mapping[str, str]
    on_front: bool


@dataclass(frozen=True)
class Search:
    """A mixed-precision search. best: place in `points` of the one chosen by `rule`."""

    command: str
    rule: str
    points: tuple[Point, ...]
    best: int
    budget_bytes: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.best < len(self.points):
            raise InputError(f"best {self.best} is not one of {len(self.points)} points")


@dataclass(frozen=True)
class Model:
    """All that was measured of one model. reference: what accuracy is lost against, such as "float
    model". split: the clips of the measurement, in words. core: what instructions are of."""

    name: str
    reference: str
    reference_accuracy: float
    reference_command: str
    int8_weight_bytes: int
    split: str
    rows: tuple[Row, ...]
    core: str = ""
    layers: tuple[LayerTable, ...] = ()
    histograms: tuple[Histograms, ...] = ()
    search: Search | None = None

    def __post_init__(self) -> None:
        _positive(int8_weight_bytes=self.int8_weight_bytes)
        if not 0 <= self.reference_accuracy <= 1:
            raise InputError(f"accuracy {self.reference_accuracy} is not between 0 and 1")

    def points_lost(self, row: Row) -> float:
        """Return points of 100 that `row` loses against the reference, below 0 for a gain."""
        return 100 * (self.reference_accuracy - row.accuracy)

    def share(self, row: Row) -> float:
        """Return the bytes of the row's weights against those of int8."""
        return row.weight_bytes / self.int8_weight_bytes

    def reached(self, row: Row) -> bool | None:
        """Return whether the row meets its goal; None where it has none."""
        if row.goal is None:
            return None
        return (
            self.points_lost(row) <= row.goal.points + _EPSILON
            and self.share(row) <= row.goal.share + _EPSILON
        )


@dataclass(frozen=True)
class Study:
    """Models measured by `command`. versions: program -> version."""

    command: str
    models: tuple[Model, ...]
    versions: Mapping[str, str]

    def to_dict(self) -> dict[str, object]:
        """Return plain values that `from_dict` takes."""
        return asdict(self)

    @staticmethod
    def from_dict(values: object, where: str = "study") -> Study:
        """Return the study. Raises InputError with the place of what does not fit."""
        return records.read(Study, values, where)


def load(file: Path) -> Study:
    """Load a study from its JSON file. Raises InputError when it is not one."""
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{file}: not readable: {error.strerror}") from None
    except ValueError as error:
        raise InputError(f"{file}: not JSON: {error}") from None
    return Study.from_dict(values, str(file))


def write(study: Study, folder: Path) -> tuple[Path, ...]:
    """Write study.json and study.html into `folder`, each whole or not at all; return the files.

    Raises ToolError without Matplotlib, when study.json is written already.
    """
    from edgeasr.report import study_page  # imports this module

    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(study.to_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    data, page = folder / "study.json", folder / "study.html"
    _replace(data, text)
    _replace(page, study_page.render(study))
    return data, page


def _replace(file: Path, text: str) -> None:
    part = file.with_name(file.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(file)


def _positive(**counts: int) -> None:
    for name, count in counts.items():
        if count < 1:
            raise InputError(f"{name} {count} must be above 0")
