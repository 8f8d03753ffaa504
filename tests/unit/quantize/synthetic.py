"""Mixed-precision problems with a known score for every assignment."""

from __future__ import annotations

import itertools
from functools import partial

import numpy as np

from edgeasr.quantize.mixed import Assignment, Budget, Evaluation, Layer, Problem, Score

BITS = {"uniform8": 8, "uniform4": 4, "uniform3": 3, "ternary": 1.6}


def problem(layers: int = 6, seed: int = 0) -> Problem:
    """Layers of various sizes, each with the four schemes of BITS."""
    generator = np.random.default_rng(seed)
    sizes = generator.integers(100, 6000, layers)
    return Problem(
        tuple(
            Layer(f"conv{place}", int(size), int(size) * int(generator.integers(20, 200)), (*BITS,))
            for place, size in enumerate(sizes)
        )
    )


def make_scorer(problem: Problem, seed: int = 0, interaction: float = 0.3):
    """Return assignment -> Score: losses that interact, and code that a scheme needs only once."""
    generator = np.random.default_rng(seed + 1000)
    sensitivity = generator.lognormal(-4, 1, len(problem.layers))
    pairs = interaction * generator.normal(0, 0.1, (len(problem.layers),) * 2)

    def score(assignment: Assignment) -> Score:
        bits = np.array([BITS[scheme] for scheme in assignment])
        noise = 2.0 ** (8 - bits) / 16
        added = np.sqrt(sensitivity) * noise
        loss = 0.25 + sensitivity @ noise + added @ pairs @ added
        flash = sum(
            -(-int(layer.weights * b) // 8) for layer, b in zip(problem.layers, bits, strict=True)
        )
        flash += 96 * len({scheme for scheme in assignment if scheme != "uniform8"})
        macs = sum(layer.macs for layer in problem.layers)
        unpacked = sum(
            layer.weights * 9 * (scheme != "uniform8")
            for layer, scheme in zip(problem.layers, assignment, strict=True)
        )
        return Score(float(np.exp(-loss)), float(loss), flash, macs * 3 + unpacked)

    return score


def factory(problem: Problem, **settings):
    """Return the picklable factory of `make_scorer`."""
    return partial(make_scorer, problem, **settings)


def all_scores(problem: Problem, **settings) -> list[Evaluation]:
    """Score every assignment."""
    score = make_scorer(problem, **settings)
    every = itertools.product(*(layer.choices for layer in problem.layers))
    return [Evaluation(assignment, score(assignment)) for assignment in every]


def optimum(evaluations: list[Evaluation], budget: Budget) -> Evaluation:
    """Return the best within the budget by trying all."""
    fitting = [one for one in evaluations if not budget.excess(one.score.objectives)]
    return min(fitting, key=lambda one: one.rank)
