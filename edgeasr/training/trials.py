"""Many recipes and seeds tried on one or more float models: spread over processes, resumable."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeasr.backend import one_thread
from edgeasr.quantize.executors import Executor
from edgeasr.training import quantizing
from edgeasr.training.options import Observer
from edgeasr.training.quantizing import VOICES, Prepared, Quantized
from edgeasr.training.recipes import QuantizationRecipe

# Raise it when the same trial would come to something else.
_VERSION = 2


@dataclass(frozen=True)
class Trial:
    """A float model (its `.keras` file), a recipe, a seed."""

    file: Path
    recipe: QuantizationRecipe
    seed: int

    @property
    def name(self) -> str:
        return f"{self.file.stem}-{self.recipe.name}-{self.seed}"

    @property
    def key(self) -> str:
        """Name the trial by its model, recipe and seed."""
        digest = hashlib.sha256(self.file.read_bytes()).hexdigest()
        facts = [_VERSION, digest, quantizing.recipe_facts(self.recipe), self.seed]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Outcome:
    """What a trial came to: its report, and the speech model's file."""

    trial: Trial
    report: dict[str, object]
    file: Path


def run(
    trials: Sequence[Trial],
    data: Path,
    folder: Path,
    executor: Executor,
    on_outcome: Callable[[Outcome], None] = lambda outcome: None,
    *,
    voices: int = VOICES,
) -> list[Outcome]:
    """Return what each trial came to, in their order; what the folder has already is not repeated.

    data: the recordings; voices: as in quantizing.prepare. folder: gets NAME.tflite and NAME.json
    of each trial, and what makes an
    interrupted one resumable.
    """
    missing = [trial for trial in trials if _known(trial, folder) is None]
    for trial in trials:
        if trial not in missing:
            on_outcome(_known(trial, folder))
    if missing:
        make = functools.partial(_Worker, data, folder, voices)
        executor.map(make, missing, lambda place, _: on_outcome(_known(missing[place], folder)))
    return [_known(trial, folder) for trial in trials]


def _known(trial: Trial, folder: Path) -> Outcome | None:
    model, facts = folder / f"{trial.name}.tflite", folder / f"{trial.name}.json"
    if not model.is_file() or not facts.is_file():
        return None
    kept = json.loads(facts.read_text())
    return Outcome(trial, kept["report"], model) if kept["key"] == trial.key else None


class _Worker:
    """Runs trials one after another; the data of a model are loaded once."""

    def __init__(self, data: Path, folder: Path, voices: int) -> None:
        one_thread()
        self._data, self._folder, self._voices = data, folder, voices
        self._prepared: dict[Path, Prepared] = {}

    def __call__(self, trial: Trial) -> None:
        if trial.file not in self._prepared:
            self._prepared.clear()  # one at a time: the data of a model are large
            source = quantizing.load_source(trial.file)
            self._prepared[trial.file] = quantizing.prepare(
                source, self._data, trains=True, voices=self._voices
            )
        checkpoints = self._folder / "checkpoints"
        made = quantizing.run(
            self._prepared[trial.file], trial.recipe, trial.seed, Observer(), checkpoints
        )
        self._keep(trial, made)

    def _keep(self, trial: Trial, made: Quantized) -> None:
        quantizing.write(made, self._folder / f"{trial.name}.tflite")
        part = self._folder / f".{trial.name}.json.part"
        part.write_text(json.dumps({"key": trial.key, "report": made.report}, indent=1) + "\n")
        part.replace(self._folder / f"{trial.name}.json")
