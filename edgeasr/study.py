"""The study of quantization: every recipe with a goal, on float models, measured and on a board.

Float models, recipes and seeds become `study.json`, `study.html`, the speech models, and firmware
of each low-bit one that must agree with the host. Everything is kept in one folder; a second run
goes on where the first stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgeasr import boards, deploy, graph, hil, speech, toolchain
from edgeasr.boards import Board
from edgeasr.errors import CheckError
from edgeasr.models import material
from edgeasr.quantize import INTEGER_ACTIVATIONS, low_bit, quantize, runnable
from edgeasr.quantize.executors import Executor
from edgeasr.quantize.mixed import Budget
from edgeasr.quantize.rewriting import read
from edgeasr.quantize.search import RULE, Found, Step
from edgeasr.report import study as page
from edgeasr.training import measuring, pipeline, quantizing, searching, trials
from edgeasr.training.options import Observer
from edgeasr.training.quantizing import Prepared
from edgeasr.training.recipes import QuantizationRecipe, goals
from edgeasr.training.trials import Outcome, Trial

_METHODS = {
    "post": "post-training", "aware": "QAT", "blocks": "incremental, blocks",
    "partition": "incremental (INQ)",
}  # fmt: skip
_SEARCH_SEED = 1
_BINS = 64
# Windows that signal to noise is measured on.
_WINDOWS = 40


@dataclass(frozen=True)
class Plan:
    """What a study covers. models: names of the zoo or `.keras` files. evaluations: of each search.
    clips: of test, streamed through the firmware of each model; 0 for all. voices: as in
    quantizing.prepare."""

    models: tuple[str, ...]
    data: Path
    folder: Path
    recipes: tuple[QuantizationRecipe, ...]
    seeds: tuple[int, ...] = (1, 2, 3)
    board: str = "qemu_mps2_an386"
    clips: int = 40
    evaluations: int = 260
    voices: int = quantizing.VOICES


@dataclass(frozen=True)
class _Subject:
    """A float model under study, with its data and its int8 form."""

    file: Path
    prepared: Prepared
    int8: bytes

    @property
    def task(self) -> str:
        return self.prepared.options.task


def run(
    plan: Plan,
    executor: Executor,
    observer: Observer = Observer(),  # noqa: B008 - frozen
    on_step: Callable[[str, Step], None] = lambda model, step: None,
) -> page.Study:
    """Measure everything of a plan and write it into its folder.

    Raises CheckError when firmware and host disagree in a single score.
    """
    board = boards.load(plan.board)
    subjects = [_subject(name, plan, observer) for name in plan.models]
    found = {s.file: _search(s, plan, executor, on_step) for s in subjects if _searches(plan)}
    wanted = [
        Trial(subject.file, _settled(recipe, found.get(subject.file)), seed)
        for subject in subjects
        for recipe in plan.recipes
        for seed in plan.seeds
    ]
    outcomes = trials.run(
        wanted, plan.data, plan.folder, executor, lambda one: observer.say(describe(one)),
        voices=plan.voices,
    )  # fmt: skip
    models = tuple(
        _model(
            subject, plan, board, found.get(subject.file), observer,
            [one for one in outcomes if one.trial.file == subject.file],
        )
        for subject in subjects
    )  # fmt: skip
    return page.Study(_command(plan), models, measuring.versions())


def describe(outcome: Outcome) -> str:
    """Say what a trial came to, in one line."""
    test = outcome.report["test"]
    return (
        f"{outcome.trial.name}: {100 * test['accuracy']:.2f} % of {test['clips']} clips of test "
        f"(float {100 * test['accuracy_float']:.2f} %), weights "
        f"{outcome.report['weight_bytes']:,} of {outcome.report['int8_weight_bytes']:,} B"
    )


def _command(plan: Plan) -> str:
    data = plan.data.name if plan.data.is_absolute() else plan.data
    seeds = len(plan.seeds)
    chosen = "" if list(plan.recipes) == list(goals()) else (
        f" --recipes {','.join(recipe.name for recipe in plan.recipes)}")  # fmt: skip
    return f"edgeasr quantize --study {' '.join(plan.models)} --data {data} --seeds {seeds}{chosen}"


def _searches(plan: Plan) -> bool:
    return any(recipe.search for recipe in plan.recipes)


def _settled(recipe: QuantizationRecipe, found: Found | None) -> QuantizationRecipe:
    return recipe.with_layers(searching.learned(found)) if recipe.search and found else recipe


def _subject(name: str, plan: Plan, observer: Observer) -> _Subject:
    file = quantizing.zoo_source(name)
    source = quantizing.load_source(file)
    prepared = quantizing.prepare(
        source, plan.data, trains=True, observer=observer, voices=plan.voices
    )
    windows, _ = pipeline.calibration_windows(prepared.arrays.train, source.scale, 1)
    return _Subject(file, prepared, quantize(source.model, windows))


def _search(
    subject: _Subject, plan: Plan, executor: Executor, on_step: Callable[[str, Step], None]
) -> Found:
    """Search the schemes of the recipe that asks for it, within its goal for bytes."""
    goal = next(recipe.goal for recipe in plan.recipes if recipe.search)
    whole = sum(place.weights for place in searching.places(subject.int8))
    budget = Budget(int(whole * goal.bytes_share)) if goal else Budget()
    state = plan.folder / f"{subject.file.stem}-search.jsonl"
    state.parent.mkdir(parents=True, exist_ok=True)
    return searching.find(
        subject.prepared, subject.int8, executor, budget=budget, seed=_SEARCH_SEED,
        evaluations=plan.evaluations, state=state,
        progress=lambda step: on_step(subject.file.stem, step),
    )  # fmt: skip


def _model(
    subject: _Subject,
    plan: Plan,
    board: Board,
    found: Found | None,
    observer: Observer,
    outcomes: Sequence[Outcome],
) -> page.Model:
    by_recipe: dict[str, list[Outcome]] = {}
    for one in outcomes:
        by_recipe.setdefault(one.trial.recipe.name, []).append(one)
    instructions = {
        name: _on_board(subject, ones[0], plan, board, observer) for name, ones in by_recipe.items()
    }
    test = outcomes[0].report["test"]
    data = f"--data {plan.data.name if plan.data.is_absolute() else plan.data}"
    low = {name: ones[0] for name, ones in by_recipe.items() if ones[0].trial.recipe.low_bit}
    return page.Model(
        name=subject.file.stem,
        reference="float model",
        reference_accuracy=test["accuracy_float"],
        reference_command=_origin(subject, data),
        int8_weight_bytes=outcomes[0].report["int8_weight_bytes"],
        split=f"{test['clips']} clips of test, of speakers that are in no other split",
        core=board.core,
        rows=tuple(
            _row(subject, ones, instructions[name], data) for name, ones in by_recipe.items()
        ),
        layers=tuple(
            page.LayerTable(name, _one_command(subject, one, data), _layers(subject, one))
            for name, one in low.items()
        ),
        histograms=tuple(
            page.Histograms(name, _one_command(subject, one, data), _histograms(subject, one))
            for name, one in low.items()
        ),
        search=_search_page(found, plan) if found else None,
    )


def _origin(subject: _Subject, data: str) -> str:
    """Return the command that the float model came from."""
    imported = subject.prepared.source.facts.provenance.get("imported")
    if isinstance(imported, Mapping):
        return f"edgeasr import {imported.get('file')}"
    return f"edgeasr train {subject.task} {data}"


def _one_command(subject: _Subject, outcome: Outcome, data: str) -> str:
    seed = outcome.trial.seed
    name = outcome.trial.recipe.name
    return f"edgeasr quantize {subject.file.stem} --recipe {name} {data} --seed {seed}"


def _row(
    subject: _Subject, outcomes: Sequence[Outcome], instructions: int | None, data: str
) -> page.Row:
    recipe = outcomes[0].trial.recipe
    seeds = tuple(
        page.Seed(
            one.trial.seed, one.report["test"]["correct"], one.report["test"]["clips"],
            one.report["weight_bytes"], one.report.get("disagreement", {}).get("differ"),
        )
        for one in outcomes
    )  # fmt: skip
    named = {word: text for word, text in recipe.layers.items() if not word.isdigit()}
    scheme = "; ".join([recipe.weights, *(f"{word} {text}" for word, text in named.items())])
    if len(named) < len(recipe.layers):
        scheme = "mixed by layer"
    goal = recipe.goal and page.Goal(recipe.goal.points_lost, recipe.goal.bytes_share)
    method = _METHODS[recipe.when] if scheme != "mixed by layer" else "search, QAT"
    return page.Row(
        recipe.name, scheme, method, _one_command(subject, outcomes[0], data), seeds, goal,
        instructions,
    )  # fmt: skip


def _on_board(
    subject: _Subject, outcome: Outcome, plan: Plan, board: Board, observer: Observer
) -> int | None:
    """Export, build and run a model on real clips of test; return its instructions an inference,
    None for a model in floating point, which no board runs."""
    if outcome.trial.recipe.activations not in INTEGER_ACTIVATIONS:
        return None
    model = speech.load(outcome.file)
    made = deploy.export(model, board, plan.folder / "firmware" / outcome.trial.name, replace=True)
    toolchain.build(made.folder)
    clips = material.gather(subject.task, plan.data).task.split("test")
    wanted, _ = hil.select(clips, model.facts.labels, split="test", limit=plan.clips)
    report = hil.run(made, wanted, resample=True)
    observer.say(
        f"{outcome.trial.name} on {board.name}: {100 * report.agreement:g} % of "
        f"{len(wanted)} clips equal to the host, {report.instructions('inference')} instructions"
    )
    differing = [one for one in report.outcomes if not one.agrees]
    if differing:
        raise CheckError(
            f"{outcome.trial.name} on {board.name}: {len(differing)} of {len(wanted)} clips differ "
            f"from the host, first {differing[0].clip.id}; nothing may differ; please report it"
        )
    return report.instructions("inference")


def _layers(subject: _Subject, outcome: Outcome) -> tuple[page.LayerRow, ...]:
    scale, test = subject.prepared.source.scale, subject.prepared.arrays.test
    content = outcome.file.read_bytes()
    int8 = runnable(subject.int8, "int8", scale.scale, scale.offset)
    every = max(1, len(test) // _WINDOWS)
    own = runnable(content, "int8", scale.scale, scale.offset)
    sounds = test.features[::every, 0]
    heard = low_bit.losses(subject.int8, content, int8.inputs(sounds), own.inputs(sounds))
    chosen: Mapping[str, str] = outcome.report["layers"]
    alone = searching.lost_alone(subject.prepared, subject.int8, chosen)
    packed = {layer.op: layer for layer in quantizing.layers(content)}
    return tuple(
        page.LayerRow(
            layer=f"#{loss.op}", kind=packed[loss.op].kind, scheme=chosen[str(loss.op)],
            packing=packed[loss.op].packing, bytes_before=packed[loss.op].weight_count,
            bytes_after=packed[loss.op].weight_bytes,
            sqnr_weights_db=_finite(loss.weights_db),
            sqnr_activations_db=_finite(loss.activations_db),
            accuracy_lost_alone=alone[str(loss.op)],
        )
        for loss in heard
    )  # fmt: skip


def _finite(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None


def _histograms(subject: _Subject, outcome: Outcome) -> tuple[page.Histogram, ...]:
    """Return the weights before quantization, in steps of the scales that they got, with levels."""
    made = graph.parse(outcome.file.read_bytes())
    found = []
    for old in read(subject.int8):
        new = made.tensor(made.ops[old.op.index].inputs[1])
        shape = [1] * old.weights.ndim
        shape[old.axis] = -1
        steps = (old.weights / new.quantization.scales.reshape(shape)).ravel()
        levels = np.unique(new.data)
        reach = max(float(np.abs(steps).max()), float(np.abs(levels).max()), 1.0)
        counts, edges = np.histogram(steps, bins=_BINS, range=(-reach, reach))
        found.append(
            page.Histogram(
                f"#{old.op.index} {old.op.kind}", tuple(map(float, edges)),
                tuple(map(int, counts)), tuple(map(float, levels)), "weight / scale",
            )
        )  # fmt: skip
    return tuple(found)


def _search_page(found: Found, plan: Plan) -> page.Search:
    points = tuple(page.Point(**row) for row in found.rows())
    best = next(i for i, one in enumerate(found.evaluations) if one == found.best)
    return page.Search(_command(plan), RULE, points, best, found.budget.flash_bytes)
