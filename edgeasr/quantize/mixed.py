"""Mixed precision as a problem: layers with choices of scheme, what a choice scores, a budget."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass

from edgeasr.errors import CheckError, InputError, alternatives

# One scheme (canonical text) for each layer, in the order of Problem.layers.
Assignment = tuple[str, ...]


@dataclass(frozen=True)
class Layer:
    """One layer that may be quantized in several ways.

    weights: their number. macs: multiply-accumulates of an inference. choices: canonical texts of
    schemes from most to least precise; the first is the reference.
    """

    name: str
    weights: int
    macs: int
    choices: tuple[str, ...]


@dataclass(frozen=True)
class Problem:
    """Layers whose schemes are to be chosen. Raises InputError when there is nothing to choose."""

    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        names = [layer.name for layer in self.layers]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InputError(f"search: layers share a name: {', '.join(twice)}")
        for layer in self.layers:
            if not layer.choices or len(set(layer.choices)) < len(layer.choices):
                raise InputError(
                    f'search: layer "{layer.name}" has choices {list(layer.choices)}; at least one '
                    "is needed, and none may come twice"
                )
        if all(len(layer.choices) == 1 for layer in self.layers):
            raise InputError("search: no layer has two choices; there is nothing to search")

    @property
    def reference(self) -> Assignment:
        """Every layer at its first choice."""
        return tuple(layer.choices[0] for layer in self.layers)

    @property
    def size(self) -> int:
        """Number of assignments."""
        return math.prod(len(layer.choices) for layer in self.layers)

    def indices(self, assignment: Assignment) -> tuple[int, ...]:
        """Return which choice each layer has. Raises InputError for what is no choice."""
        if len(assignment) != len(self.layers):
            raise InputError(
                f"search: {len(assignment)} schemes were assigned to {len(self.layers)} layers"
            )
        for layer, scheme in zip(self.layers, assignment, strict=True):
            if scheme not in layer.choices:
                raise InputError(
                    f'search: "{scheme}" is no choice of layer "{layer.name}"; '
                    + alternatives(scheme, layer.choices)
                )
        return tuple(
            layer.choices.index(scheme)
            for layer, scheme in zip(self.layers, assignment, strict=True)
        )

    def assignment(self, indices: Sequence[int]) -> Assignment:
        """Return the schemes that `indices` (one choice of each layer) stand for."""
        return tuple(
            layer.choices[index] for layer, index in zip(self.layers, indices, strict=True)
        )

    def digest(self) -> str:
        """Return what differs when names, sizes or choices of layers differ."""
        text = json.dumps([astuple(layer) for layer in self.layers])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Score:
    """What an assignment does and costs.

    accuracy: share of clips recognised, 0 to 1. loss: the smooth measure that the search lowers,
    such as mean cross-entropy in nats. flash_bytes: weights with all that unpacking them needs.
    instructions: of one inference; None where they were not counted, for all assignments alike.
    """

    accuracy: float
    loss: float
    flash_bytes: int
    instructions: int | None = None

    def __post_init__(self) -> None:
        if not math.isfinite(self.loss) or not math.isfinite(self.accuracy):
            raise CheckError(
                f"search: an evaluation gave loss {self.loss} and accuracy {self.accuracy}; "
                "both must be finite"
            )

    @property
    def objectives(self) -> tuple[float, int, int]:
        """What is to be small: loss, flash, instructions (0 where they were not counted)."""
        return self.loss, self.flash_bytes, self.instructions or 0


@dataclass(frozen=True)
class Evaluation:
    """An assignment with its score."""

    assignment: Assignment
    score: Score

    @property
    def rank(self) -> tuple:
        """Order of the rule for the best: loss, then accuracy, flash, instructions, schemes."""
        loss, flash, instructions = self.score.objectives
        return loss, -self.score.accuracy, flash, instructions, self.assignment


@dataclass(frozen=True)
class Budget:
    """The most that a model may cost; None where there is no limit."""

    flash_bytes: int | None = None
    instructions: int | None = None

    def __post_init__(self) -> None:
        if min(self.limits) < 1:
            raise InputError(f"search: the budget {self.limits} must be above 0")

    @property
    def limits(self) -> tuple[float, float]:
        """Flash and instructions, infinite where there is no limit."""
        return tuple(
            math.inf if limit is None else limit for limit in (self.flash_bytes, self.instructions)
        )

    def excess(self, objectives: Sequence[float]) -> float:
        """Return by what share of a limit (loss, flash, instructions) goes over it, at least 0."""
        pairs = zip(objectives[1:], self.limits, strict=True)
        return max((value / limit - 1 for value, limit in pairs if value > limit), default=0.0)
