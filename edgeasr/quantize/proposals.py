"""Which assignments a search evaluates next: the best of an additive model, and offspring.

Assignments are tuples of choice indices here, one for each layer, 0 the reference.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from edgeasr.quantize.mixed import Problem, Score

Indices = tuple[int, ...]

# How many measurements the scores of the layers alone outweigh; costs add up nearly exactly.
_LOSS_PRIOR = 0.5
_COST_PRIOR = 0.05
# Cells of flash and of instructions in which the additive model keeps the least losses.
_CELLS = (256, 32)
_PER_CELL = 2
_DECIMALS = 9


class AdditiveModel:
    """Predicts a score as the reference's plus what each layer's choice adds when alone.

    Refined by `refit` as scores of whole assignments come in. `alone` has a score for each (layer,
    choice) but the reference's 0. error: median error of each objective after the last `refit`.
    """

    def __init__(
        self, problem: Problem, reference: Score, alone: Mapping[tuple[int, int], Score]
    ) -> None:
        self.base = np.array(reference.objectives, float)
        self._alone = [
            np.stack([
                np.array(alone[place, choice].objectives if choice else self.base, float)
                - self.base
                for choice in range(len(layer.choices))
            ])
            for place, layer in enumerate(problem.layers)
        ]  # fmt: skip
        self.added = self._alone
        self.error = (0.0, 0.0, 0.0)
        self._first = np.cumsum([0, *(len(rows) for rows in self._alone)])

    def predict(self, indices: Indices) -> tuple[float, ...]:
        """Return (loss, flash bytes, instructions)."""
        sums = self.base + sum(rows[i] for rows, i in zip(self.added, indices, strict=True))
        return tuple(np.round(sums, _DECIMALS).tolist())

    def refit(self, known: Mapping[Indices, Score]) -> None:
        """Correct what each choice adds by ridge regression of what the prediction misses.

        Losses far above the reference's count less: interactions there say little about low ones.
        """
        self.added = [rows.copy() for rows in self._alone]
        used = np.zeros((len(known), self._first[-1]))
        for row, indices in enumerate(known):
            used[row, self._first[:-1] + np.array(indices)] = 1
        used[:, self._first[:-1]] = 0  # references add nothing
        scores = np.array([score.objectives for score in known.values()], float)
        missed = scores - np.array([self.predict(indices) for indices in known])
        scale = max(float(np.median([rows[:, 0].max() for rows in self._alone])), 1e-9)
        trust = 1 / (1 + np.maximum(scores[:, 0] - self.base[0], 0) / scale) ** 2
        for objective, (prior, weights) in enumerate(
            ((_LOSS_PRIOR, trust), *[(_COST_PRIOR, np.ones_like(trust))] * 2)
        ):
            weighted = used.T * weights
            square = weighted @ used + prior * np.eye(used.shape[1])
            change = np.linalg.solve(square, weighted @ missed[:, objective])
            for place, rows in enumerate(self.added):
                rows[:, objective] += change[self._first[place] : self._first[place + 1]]
        missed = scores - np.array([self.predict(indices) for indices in known])
        self.error = tuple(np.round(np.median(np.abs(missed), axis=0), _DECIMALS).tolist())

    def best(self) -> list[Indices]:
        """Return the assignments of least predicted loss, all over the range of both costs.

        The multiple-choice knapsack by dynamic programming over the layers (H. Kellerer, U.
        Pferschy, D. Pisinger, "Knapsack Problems", 2004, chapter 11), where of the partial
        assignments in one cell of cost the few with least loss go on.
        """
        low = np.sum([rows.min(axis=0) for rows in self.added], axis=0)
        high = np.sum([rows.max(axis=0) for rows in self.added], axis=0)
        step = np.maximum((high - low)[1:] / _CELLS, 1)
        sums, chosen = np.zeros((1, 3)), np.zeros((1, 0), int)
        for part in self.added:
            sums = np.round((sums[:, None] + part).reshape(-1, 3), _DECIMALS)
            last = np.tile(np.arange(len(part)), len(chosen))
            chosen = np.column_stack([np.repeat(chosen, len(part), axis=0), last])
            kept = _least_in_each_cell((sums[:, 1:] // step).astype(int), sums)
            sums, chosen = sums[kept], chosen[kept]
        return [tuple(indices) for indices in chosen.tolist()]

    def cheapest(self, objective: int) -> Indices:
        """Return the assignment least in one objective (1 flash, 2 instructions), then in loss."""
        return tuple(
            min(range(len(rows)), key=lambda c, rows=rows: (rows[c, objective], rows[c, 0], c))
            for rows in self.added
        )


def _least_in_each_cell(cells: np.ndarray, sums: np.ndarray) -> np.ndarray:
    """Return the rows with the _PER_CELL least losses of each cell, ordered by cell."""
    order = np.lexsort((*sums.T[::-1], cells[:, 1], cells[:, 0]))
    cells = cells[order]
    starts = np.flatnonzero(np.r_[True, np.any(cells[1:] != cells[:-1], axis=1)])
    place = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
    return order[place < _PER_CELL]


def staircase(candidates: Sequence[Indices], model: AdditiveModel, objective: int) -> list[Indices]:
    """Return the candidates predicted to have the least loss at their cost or less, by rising cost.

    objective: which cost, 1 flash, 2 instructions.
    """
    predicted = {candidate: model.predict(candidate) for candidate in candidates}
    found, least = [], np.inf
    for candidate, score in sorted(predicted.items(), key=lambda kv: (kv[1][objective], *kv[1])):
        if score[0] < least:
            found.append(candidate)
            least = score[0]
    return found


def spread(candidates: Sequence[Indices], count: int) -> list[Indices]:
    """Return `count` of `candidates`, evenly along them with both ends, or all of fewer."""
    if len(candidates) <= count:
        return list(candidates)
    places = np.linspace(0, len(candidates) - 1, count).round().astype(int) if count else []
    return [candidates[place] for place in places]


def offspring(
    problem: Problem,
    parents: Sequence[Indices],
    seen: Collection[Indices],
    count: int,
    generator: np.random.Generator,
) -> list[Indices]:
    """Return at most `count` new assignments made by changing and crossing `parents`.

    By thirds: one or two layers moved to a neighbouring choice; one layer made cheaper and another
    dearer; each layer taken from either of two parents. Fewer come where hardly any are left.
    """
    found: dict[Indices, None] = {}
    for attempt in range(8 * count):
        child = list(parents[generator.integers(len(parents))])
        match attempt % 3:
            case 0:
                for _ in range(1 + generator.integers(2)):
                    _move(problem, child, generator, generator.choice((-1, 1)))
            case 1:
                _move(problem, child, generator, 1)
                _move(problem, child, generator, -1)
            case _:
                other = parents[generator.integers(len(parents))]
                taken = generator.random(len(child)) < 0.5
                child = [b if t else a for a, b, t in zip(child, other, taken, strict=True)]
        made = tuple(int(choice) for choice in child)
        if made not in seen:
            found[made] = None
        if len(found) == count:
            break
    return list(found)


def _move(problem: Problem, child: list[int], generator: np.random.Generator, by: int) -> None:
    place = int(generator.integers(len(child)))
    last = len(problem.layers[place].choices) - 1
    child[place] = min(max(child[place] + by, 0), last)
