"""Mixed precision by search: which layer takes which scheme, for the least loss in a budget.

First each layer is tried alone at each of its choices, all others at the reference. If losses added
up, that would decide everything: so assignments along the whole range of cost that would be best
then are evaluated next, and the rest of the evaluations goes to generations of neighbours of what
is best so far, picked by a prediction that learns from each generation.

Deterministic: the seed and the scores decide what is evaluated, neither the executor, nor the order
in which evaluations end, nor what a state file knows already.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgeasr.errors import CheckError, InputError
from edgeasr.quantize import proposals
from edgeasr.quantize.executors import Executor, MakeWorker, Pool
from edgeasr.quantize.mixed import Assignment, Budget, Evaluation, Layer, Problem, Score
from edgeasr.quantize.pareto import front
from edgeasr.quantize.proposals import AdditiveModel, Indices
from edgeasr.quantize.search_state import SearchState
from edgeasr.units import format_bytes

RULE = (
    "lowest loss within the budget; of equal losses the higher accuracy, then less flash, then "
    "fewer instructions"
)
GENERATION = 8
_OFFSPRING = 200
_ELITE = 6


@dataclass(frozen=True)
class Step:
    """Progress: evaluation `done` of `total` gave `evaluation`; `known` if a state file had it."""

    phase: str
    done: int
    total: int
    evaluation: Evaluation
    known: bool


@dataclass(frozen=True)
class Sensitivity:
    """What one layer at one choice, all others at the reference, adds to the reference's score."""

    layer: str
    scheme: str
    accuracy_lost: float
    loss_added: float
    flash_bytes_added: int
    instructions_added: int | None


@dataclass(frozen=True)
class Found:
    """What a search evaluated, in order, with the front, by rising loss, and the best by RULE."""

    problem: Problem
    budget: Budget
    evaluations: tuple[Evaluation, ...]
    sensitivities: tuple[Sensitivity, ...]
    front: tuple[Evaluation, ...]
    best: Evaluation

    def rows(self) -> list[dict[str, object]]:
        """Return each evaluation as plain values, with `on_front`, for a report."""
        on_front = {evaluation.assignment for evaluation in self.front}
        names = [layer.name for layer in self.problem.layers]
        return [
            {
                "accuracy": one.score.accuracy,
                "loss": one.score.loss,
                "flash_bytes": one.score.flash_bytes,
                "instructions": one.score.instructions,
                "assignment": dict(zip(names, one.assignment, strict=True)),
                "on_front": one.assignment in on_front,
            }
            for one in self.evaluations
        ]


def needed_evaluations(problem: Problem) -> int:
    """Return how many evaluations the sensitivities take, the reference's among them."""
    return 1 + sum(len(layer.choices) - 1 for layer in problem.layers)


def search(
    problem: Problem,
    make_worker: MakeWorker,
    executor: Executor,
    *,
    evaluations: int,
    budget: Budget = Budget(),  # noqa: B008, frozen
    seed: int = 0,
    fingerprint: str = "",
    state: Path | None = None,
    progress: Callable[[Step], None] | None = None,
) -> Found:
    """Evaluate up to `evaluations` assignments and return them with the front and the best.

    make_worker: picklable; makes a function Assignment -> Score (see executors), whose score
    depends on the assignment alone. fingerprint: of all else that scores depend on; `state`, the
    file that makes the search resumable, is bound to it. Known scores count as evaluations.

    Raises InputError when `evaluations` do not even cover the sensitivities or the state file is
    not usable, CheckError when nothing fits the budget.
    """
    needed = needed_evaluations(problem)
    least = min(needed + len(budget.limits), problem.size)
    if evaluations < least:
        raise InputError(
            f"search: {evaluations} evaluations are too few; trying each layer alone takes "
            f"{needed}, and something must be left to search with; give at least {least}, or "
            "fewer choices"
        )
    known = SearchState(state, problem, fingerprint)
    with executor.start(make_worker) as pool:
        run = _Run(problem, pool, known, min(evaluations, problem.size), progress)
        model = _sensitivities(run)
        _extremes(run, model, budget)
        _along_the_range(run, model, budget)
        _generations(run, model, budget, np.random.default_rng(seed))
    return _found(run, budget)


class _Run:
    """Evaluations of this run, in the order in which they were asked for."""

    def __init__(
        self,
        problem: Problem,
        pool: Pool,
        known: SearchState,
        total: int,
        progress: Callable[[Step], None] | None,
    ) -> None:
        self.problem = problem
        self.scores: dict[Indices, Score] = {}
        self._pool = pool
        self._known = known
        self._total = total
        self._progress = progress

    @property
    def left(self) -> int:
        return self._total - len(self.scores)

    def evaluate(self, phase: str, wanted: Sequence[Indices]) -> None:
        """Score those of `wanted` that are new, as many as are left."""
        new = [i for i in dict.fromkeys(wanted) if i not in self.scores][: self.left]
        names = {indices: self.problem.assignment(indices) for indices in new}
        ready = [name for name in names.values() if name in self._known.scores]
        asked = [name for name in names.values() if name not in self._known.scores]
        done = itertools.count(len(self.scores) + 1)

        def tell(assignment: Assignment, known: bool) -> None:
            if self._progress:
                evaluation = Evaluation(assignment, self._known.scores[assignment])
                self._progress(Step(phase, next(done), self._total, evaluation, known))

        def keep(index: int, score: Score) -> None:
            self._known.add(asked[index], score)
            tell(asked[index], known=False)

        for assignment in ready:
            tell(assignment, known=True)
        self._pool.map(asked, keep)
        self.scores |= {indices: self._known.scores[name] for indices, name in names.items()}

    def evaluations(self) -> list[Evaluation]:
        return [Evaluation(self.problem.assignment(i), s) for i, s in self.scores.items()]


def _sensitivities(run: _Run) -> AdditiveModel:
    reference = (0,) * len(run.problem.layers)
    alone = {
        (place, choice): _with(reference, place, choice)
        for place, layer in enumerate(run.problem.layers)
        for choice in range(1, len(layer.choices))
    }
    run.evaluate("each layer alone", [reference, *alone.values()])
    scores = {key: run.scores[indices] for key, indices in alone.items()}
    return AdditiveModel(run.problem, run.scores[reference], scores)


def _with(indices: Indices, place: int, choice: int) -> Indices:
    return (*indices[:place], choice, *indices[place + 1 :])


def _extremes(run: _Run, model: AdditiveModel, budget: Budget) -> None:
    """Evaluate the least of each cost that has a limit, and stop here if that is over it."""
    for objective, limit in enumerate(budget.limits, 1):
        if limit == float("inf"):
            continue
        if objective == 2 and next(iter(run.scores.values())).instructions is None:
            raise InputError(
                f"search: the budget of {limit:,} instructions cannot be checked, as the "
                "evaluation does not count instructions; leave it out"
            )
        run.evaluate("smallest", [model.cheapest(objective)])
        least = min(run.scores, key=lambda i: (run.scores[i].objectives[objective], i))
        if run.scores[least].objectives[objective] > limit:
            raise _over_budget(run, least, objective, limit)


def _over_budget(run: _Run, least: Indices, objective: int, limit: float) -> CheckError:
    layers, reached = run.problem.layers, run.scores[least].objectives[objective]
    size = (lambda layer: layer.weights) if objective == 1 else (lambda layer: layer.macs)
    place = max(range(len(layers)), key=lambda place: size(layers[place]))
    layer: Layer = layers[place]
    form, what, unit = (
        (format_bytes, "flash", "weights")
        if objective == 1
        else (lambda count: f"{count:,}", "instructions", "MACs")
    )
    return CheckError(
        f"search: the budget of {form(int(limit))} of {what} cannot be met: the smallest reachable "
        f'is {form(reached)}; the largest layer, "{layer.name}" ({size(layer):,} of '
        f'{sum(map(size, layers)):,} {unit}), is at "{layer.choices[least[place]]}" there; allow '
        "smaller choices or raise the budget"
    )


def _along_the_range(run: _Run, model: AdditiveModel, budget: Budget) -> None:
    """Evaluate what would be best if losses added up, with half of what is left.

    Under a budget a fifth is enough: what lies near it matters more than the whole range.
    """
    costs = (1,) if model.base[2] == 0 else (1, 2)
    candidates = model.best()
    parts = 2 if budget == Budget() else 5
    share = -(-run.left // parts) // len(costs)
    for objective in costs:
        best = proposals.staircase(candidates, model, objective)
        new = [indices for indices in best if indices not in run.scores]
        run.evaluate("range", proposals.spread(new, share))


def _generations(
    run: _Run, model: AdditiveModel, budget: Budget, generator: np.random.Generator
) -> None:
    number = 0
    while run.left:
        number += 1
        model.refit(run.scores)
        if run.left >= run.problem.size - len(run.scores):
            choices = [range(len(layer.choices)) for layer in run.problem.layers]
            children = list(itertools.product(*choices))
            run.evaluate("all that is left", children)
            return
        children = [indices for indices in model.best() if indices not in run.scores]
        for parents in (_parents(run, budget), list(run.scores)):
            children += proposals.offspring(run.problem, parents, run.scores, _OFFSPRING, generator)
            if len(children) >= GENERATION:
                break
        if not children:
            return
        children = list(dict.fromkeys(children))
        run.evaluate(f"generation {number}", _pick(run, model, budget, children, generator))


def _parents(run: _Run, budget: Budget) -> list[Indices]:
    """Return the front, and as often again the best within the budget, if there is one."""
    parents = front(run.scores, lambda indices: run.scores[indices].objectives)
    if budget == Budget():
        return parents
    nearest = sorted(run.scores, key=lambda indices: _merit(run.scores[indices].objectives, budget))
    elite = nearest[:_ELITE]
    return parents + elite * max(1, len(parents) // len(elite))


def _merit(objectives: Sequence[float], budget: Budget) -> tuple[float, ...]:
    """Order by distance over the budget, then by loss."""
    return (budget.excess(objectives), *objectives)


def _pick(
    run: _Run,
    model: AdditiveModel,
    budget: Budget,
    children: Sequence[Indices],
    generator: np.random.Generator,
) -> list[Indices]:
    """Return one generation: half of it best within the budget, the rest along the front.

    As predictions err, half of that half may be over the budget by twice the usual error.
    Promising along the front is what is predicted furthest below the lowest loss so far at no
    higher cost, as a share of the loss added there; each one picked counts for the next.
    """
    predicted = np.array([model.predict(child) for child in children])
    picked: list[int] = []
    for slack in (0, 2) if budget != Budget() else ():
        rows = (predicted - slack * np.array(model.error)).tolist()
        merits = sorted((*_merit(row, budget), place) for place, row in enumerate(rows))
        new = [place for *_, place in merits if place not in picked]
        picked += new[: GENERATION // 4]
    known = [score.objectives for score in run.scores.values()]
    least = np.full(len(children), max(loss for loss, _, _ in known))
    for point in (*known, *predicted[picked].tolist()):
        _lower(least, predicted, point)
    while len(picked) < min(GENERATION, len(children)):
        gains = (least - predicted[:, 0]) / np.maximum(least - model.base[0], 1e-6)
        gains[picked] = -np.inf
        place = int(np.argmax(np.round(gains, 9)))
        if gains[place] <= 0:
            place = int(generator.choice(np.setdiff1d(np.arange(len(children)), picked)))
        picked.append(place)
        _lower(least, predicted, predicted[place])
    return [children[place] for place in picked]


def _lower(least: np.ndarray, costs: np.ndarray, point: Sequence[float]) -> None:
    """Let `least`, of each row of costs, know a point that costs no more."""
    reach = (costs[:, 1] >= point[1]) & (costs[:, 2] >= point[2])
    least[reach] = np.minimum(least[reach], point[0])


def _found(run: _Run, budget: Budget) -> Found:
    evaluations = run.evaluations()
    fitting = [one for one in evaluations if not budget.excess(one.score.objectives)]
    if not fitting:
        nearest = min(evaluations, key=lambda one: budget.excess(one.score.objectives)).score
        raise CheckError(
            f"search: none of {len(evaluations)} assignments meets both limits, "
            f"{format_bytes(budget.flash_bytes)} of flash and {budget.instructions:,} "
            f"instructions; the nearest takes {format_bytes(nearest.flash_bytes)} and "
            f"{nearest.instructions:,}; raise one limit or the number of evaluations"
        )
    return Found(
        problem=run.problem,
        budget=budget,
        evaluations=tuple(evaluations),
        sensitivities=tuple(_alone(run)),
        front=tuple(front(evaluations, lambda one: one.score.objectives)),
        best=min(fitting, key=lambda one: one.rank),
    )


def _alone(run: _Run) -> list[Sensitivity]:
    reference = (0,) * len(run.problem.layers)
    base = run.scores[reference]
    found = []
    for place, layer in enumerate(run.problem.layers):
        for choice in range(1, len(layer.choices)):
            score = run.scores[_with(reference, place, choice)]
            counted = score.instructions is not None and base.instructions is not None
            found.append(
                Sensitivity(
                    layer=layer.name,
                    scheme=layer.choices[choice],
                    accuracy_lost=base.accuracy - score.accuracy,
                    loss_added=score.loss - base.loss,
                    flash_bytes_added=score.flash_bytes - base.flash_bytes,
                    instructions_added=score.instructions - base.instructions if counted else None,
                )
            )
    return found
