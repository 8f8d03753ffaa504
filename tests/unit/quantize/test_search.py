"""Mixed-precision search against optima found by trying all; one answer, however it is run."""

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeasr.errors import CheckError, InputError
from edgeasr.quantize import pareto, proposals
from edgeasr.quantize.cluster import Ray
from edgeasr.quantize.executors import Processes, Serial
from edgeasr.quantize.mixed import Budget, Evaluation, Layer, Problem, Score
from edgeasr.quantize.search import GENERATION, needed_evaluations, search
from tests.unit.quantize import synthetic

SMALL = synthetic.problem(4, seed=3)
POINTS = st.lists(st.tuples(*[st.integers(0, 6)] * 3), max_size=30)


class Stopped(Exception):
    """Stands for a power cut."""


class StopAfter:
    """A worker factory whose workers stop at evaluation `count`."""

    def __init__(self, problem: Problem, count: float = math.inf) -> None:
        self.score = synthetic.make_scorer(problem)
        self.count = count
        self.asked = []

    def __call__(self):
        def work(assignment):
            if len(self.asked) >= self.count:
                raise Stopped
            self.asked.append(assignment)
            return self.score(assignment)

        return work


def _find(problem=SMALL, executor=Serial(), evaluations=40, **settings):  # noqa: B008
    return search(
        problem, synthetic.factory(problem), executor, evaluations=evaluations, **settings
    )


def _half(problem: Problem, share: float = 0.5) -> Budget:
    whole = synthetic.make_scorer(problem)(problem.reference)
    return Budget(int(share * whole.flash_bytes))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("share", [0.3, 0.4, 0.6])
def test_the_best_of_4096_is_found_within_2_percent_of_the_evaluations(seed, share):
    problem = synthetic.problem(6, seed)
    budget = _half(problem, share)
    every = synthetic.all_scores(problem, seed=seed)

    factory = synthetic.factory(problem, seed=seed)
    found = search(problem, factory, Serial(), evaluations=80, budget=budget, seed=seed)

    assert len(found.evaluations) == 80
    assert found.best == synthetic.optimum(every, budget)


def test_a_budget_of_instructions_is_met_too():
    problem = synthetic.problem(6)
    every = synthetic.all_scores(problem)
    whole = every[0].score
    most = max(one.score.instructions for one in every)
    extra = most - whole.instructions
    budget = Budget(whole.flash_bytes // 2, whole.instructions + 3 * extra // 4)

    found = _find(problem, evaluations=120, budget=budget)

    assert found.best.score.instructions <= budget.instructions
    lost = found.best.score.loss - whole.loss
    assert lost <= 1.05 * (synthetic.optimum(every, budget).score.loss - whole.loss)


def test_enough_evaluations_try_all_and_find_the_whole_front():
    every = synthetic.all_scores(SMALL)

    found = _find(evaluations=10_000, budget=_half(SMALL))

    assert len(found.evaluations) == SMALL.size == 256
    assert set(found.front) == set(pareto.front(every, lambda one: one.score.objectives))
    assert found.best == synthetic.optimum(every, _half(SMALL))


def test_each_layers_sensitivity_is_what_it_adds_alone():
    score = synthetic.make_scorer(SMALL)
    alone = score(("uniform8", "ternary", "uniform8", "uniform8"))
    base = score(SMALL.reference)

    row = next(
        row for row in _find().sensitivities if (row.layer, row.scheme) == ("conv1", "ternary")
    )

    assert row.loss_added == alone.loss - base.loss
    assert row.accuracy_lost == base.accuracy - alone.accuracy
    assert row.flash_bytes_added == alone.flash_bytes - base.flash_bytes < 0
    assert row.instructions_added == alone.instructions - base.instructions > 0


def test_the_front_is_monotone_and_the_rows_say_what_is_on_it():
    problem = synthetic.problem(5)

    def make():
        score = synthetic.make_scorer(problem)
        return lambda a: Score(score(a).accuracy, score(a).loss, score(a).flash_bytes)

    found = search(problem, make, Serial(), evaluations=60)
    losses = [one.score.loss for one in found.front]
    flash = [one.score.flash_bytes for one in found.front]

    assert losses == sorted(set(losses))
    assert flash == sorted(set(flash), reverse=True)
    rows = found.rows()
    assert sum(row["on_front"] for row in rows) == len(found.front)
    assert rows[0]["assignment"] == {layer.name: "uniform8" for layer in problem.layers}
    assert rows[0]["instructions"] is None
    json.dumps(rows, allow_nan=False)


def test_processes_find_what_one_worker_finds():
    alone = _find(budget=_half(SMALL), seed=5)
    assert _find(executor=Processes(2), budget=_half(SMALL), seed=5) == alone


def test_a_ray_cluster_finds_what_one_worker_finds(cluster):
    alone = _find(budget=_half(SMALL), seed=5)
    assert _find(executor=Ray(cluster), budget=_half(SMALL), seed=5) == alone


def test_the_seed_decides_which_neighbours_are_tried():
    problem = synthetic.problem(8)
    assert _find(problem, evaluations=90, seed=1) == _find(problem, evaluations=90, seed=1)
    assert _find(problem, evaluations=90, seed=1) != _find(problem, evaluations=90, seed=2)


@pytest.mark.parametrize("stop", [0, 1, 7, 20, 33])
def test_a_search_that_was_stopped_goes_on_to_the_same_result(tmp_path, stop):
    state = tmp_path / "search" / "state.jsonl"
    given = {"evaluations": 40, "budget": _half(SMALL), "seed": 2}
    whole = search(SMALL, StopAfter(SMALL), Serial(), **given)

    with pytest.raises(Stopped):
        search(SMALL, StopAfter(SMALL, stop), Serial(), state=state, **given)
    second, steps = StopAfter(SMALL), []
    resumed = search(SMALL, second, Serial(), state=state, progress=steps.append, **given)

    assert resumed == whole
    assert len(second.asked) == 40 - stop
    assert sum(step.known for step in steps) == stop
    assert [step.done for step in steps] == list(range(1, 41))
    third = StopAfter(SMALL, 0)
    assert search(SMALL, third, Serial(), state=state, **given) == whole


def test_a_stop_in_processes_keeps_what_they_had_finished(tmp_path):
    state = tmp_path / "state.jsonl"

    def stop(step):
        if step.done == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _find(executor=Processes(2), state=state, progress=stop)

    assert len(state.read_text().splitlines()) == 21
    assert _find(state=state) == _find()


def test_a_line_cut_short_is_evaluated_again(tmp_path):
    state = tmp_path / "state.jsonl"
    whole = _find(state=state)
    text = state.read_bytes()

    for cut in (5, len(text.splitlines(keepends=True)[0]) - 1, len(text) - 20, len(text) - 1):
        state.write_bytes(text[:cut])
        assert _find(state=state) == whole
        assert state.read_bytes() == text


def test_a_state_of_another_problem_is_refused(tmp_path):
    state = tmp_path / "state.jsonl"
    _find(state=state, fingerprint="digits 1a2b")

    with pytest.raises(InputError, match=r'another problem \(fingerprint "digits 1a2b", this one'):
        _find(state=state, fingerprint="keywords 3c4d")
    with pytest.raises(InputError, match=r"another problem \(layers "):
        _find(synthetic.problem(5), state=state, fingerprint="digits 1a2b")


@pytest.mark.parametrize("text", ["word", "word\nword\n", '{"a": 1}\n', "[]\n", "\n"])
def test_a_file_that_is_no_state_is_refused_and_left_alone(tmp_path, text):
    file = tmp_path / "notes.txt"
    file.write_text(text)

    with pytest.raises(InputError, match=r"notes\.txt: this is not the state of a search"):
        _find(state=file)
    assert file.read_text() == text


@pytest.mark.parametrize(
    "line",
    [
        *("{", "3", '{"assignment": ["uniform8"]}', '{"assignment": 5}'),
        json.dumps({"assignment": SMALL.reference, "accuracy": 1, "loss": 1, "odd": 2}),
    ],
)
def test_a_damaged_line_is_named(tmp_path, line):
    state = tmp_path / "state.jsonl"
    _find(state=state)
    lines = state.read_text().splitlines()
    state.write_text("\n".join([*lines[:3], line, *lines[4:]]) + "\n")

    with pytest.raises(InputError, match=r"state\.jsonl: line 4 is damaged; delete that line"):
        _find(state=state)


def test_a_budget_that_cannot_be_met_names_the_smallest_and_what_limits_it(tmp_path):
    state = tmp_path / "state.jsonl"
    largest = max(SMALL.layers, key=lambda layer: layer.weights)
    least = min(one.score.flash_bytes for one in synthetic.all_scores(SMALL))
    total = sum(layer.weights for layer in SMALL.layers)

    with pytest.raises(CheckError) as caught:
        _find(budget=Budget(1000), state=state)

    said = str(caught.value)
    assert (
        f"the budget of 1000 B of flash cannot be met: the smallest reachable is {least:,} B"
        in said
    )
    assert f'"{largest.name}" ({largest.weights:,} of {total:,} weights), is at "ternary"' in said
    assert len(state.read_text().splitlines()) == 1 + needed_evaluations(SMALL) + 1


def test_a_budget_of_instructions_that_cannot_be_met_names_the_smallest():
    least = synthetic.make_scorer(SMALL)(SMALL.reference).instructions
    with pytest.raises(CheckError, match=rf"1,000 of instructions cannot .* is {least:,}; .*MACs"):
        _find(budget=Budget(None, 1000))


def test_limits_that_can_be_met_singly_but_not_together_are_told():
    whole = synthetic.make_scorer(SMALL)(SMALL.reference)
    with pytest.raises(CheckError, match=r"none of 40 assignments meets both limits.* the nearest"):
        _find(budget=Budget(whole.flash_bytes // 4, whole.instructions))


def test_a_budget_of_instructions_needs_them_counted():
    def make():
        return lambda assignment: Score(0.9, 0.1, 100)

    with pytest.raises(InputError, match="does not count instructions"):
        search(SMALL, make, Serial(), evaluations=40, budget=Budget(None, 5))


def test_too_few_evaluations_are_refused():
    assert needed_evaluations(SMALL) == 13
    with pytest.raises(InputError, match=r"14 evaluations are too few; .* takes 13,.* at least 15"):
        _find(evaluations=14)


def test_a_loss_that_is_not_finite_is_refused():
    with pytest.raises(CheckError, match="gave loss nan"):
        Score(0.5, math.nan, 10)


@pytest.mark.parametrize(
    "layers, message",
    [
        ([("a", ("x", "y")), ("a", ("x",))], "layers share a name: a"),
        ([("a", ("x", "x"))], 'layer "a" has choices'),
        ([("a", ())], 'layer "a" has choices'),
        ([("a", ("x",)), ("b", ("y",))], "nothing to search"),
    ],
)
def test_a_problem_without_a_choice_is_refused(layers, message):
    with pytest.raises(InputError, match=message):
        Problem(tuple(Layer(name, 1, 1, choices) for name, choices in layers))


def test_a_scheme_that_is_no_choice_is_refused_with_those_that_are():
    with pytest.raises(InputError, match='"pot4" is no choice of layer "conv1"; allowed: ternary'):
        SMALL.indices(("uniform8", "pot4", "uniform8", "uniform8"))


def test_generations_have_one_size_whatever_the_workers():
    steps = []
    _find(synthetic.problem(8), evaluations=90, progress=steps.append)
    phases = [len(list(group)) for _, group in itertools.groupby(steps, lambda step: step.phase)]
    assert set(phases[2:-1]) == {GENERATION}


@settings(max_examples=60)
@given(st.integers(2, 5), st.integers(0, 10_000))
def test_the_best_of_additive_scores_is_exact_where_cells_do_not_thin(layers, seed):
    """At each flash size that a staircase reaches, no assignment of less flash has less loss."""
    generator = np.random.default_rng(seed)
    counts = [2, *generator.integers(1, 4, layers)]
    problem = Problem(
        tuple(Layer(f"conv{i}", 1, 1, tuple("abc"[:count])) for i, count in enumerate(counts))
    )
    added = [
        np.r_[[(0, 0)], generator.integers((-2, -9), (9, 1), (count - 1, 2))] for count in counts
    ]

    def score(indices):
        loss, flash = sum(rows[i] for rows, i in zip(added, indices, strict=True))
        return Score(1, 10.0 + float(loss), 200 + int(flash))

    zero = (0,) * len(problem.layers)
    alone = {
        (place, choice): score((*zero[:place], choice, *zero[place + 1 :]))
        for place, layer in enumerate(problem.layers)
        for choice in range(1, len(layer.choices))
    }
    model = proposals.AdditiveModel(problem, score(zero), alone)

    found = proposals.staircase(model.best(), model, 1)

    every = itertools.product(*(range(len(layer.choices)) for layer in problem.layers))
    points = {score(indices).objectives for indices in every}
    wanted = [point for point in points if not any(pareto.dominates(q, point) for q in points)]
    assert sorted(score(indices).objectives for indices in found) == sorted(wanted)


@given(POINTS)
def test_nothing_on_a_front_is_dominated_and_all_else_is(points):
    found = pareto.front(points, lambda point: point)

    assert not any(pareto.dominates(a, b) for a in found for b in found)
    for point in points:
        assert point in found or any(pareto.dominates(one, point) for one in found)
    assert len(set(found)) == len(found)


@given(POINTS, st.randoms(use_true_random=False))
def test_a_front_does_not_depend_on_the_order_of_its_points(points, random):
    shuffled = list(points)
    random.shuffle(shuffled)
    assert pareto.front(points, tuple) == pareto.front(shuffled, tuple)


@given(*[st.tuples(*[st.integers(0, 3)] * 3)] * 3)
def test_dominance_is_a_strict_order(a, b, c):
    assert not pareto.dominates(a, a)
    assert not (pareto.dominates(a, b) and pareto.dominates(b, a))
    if pareto.dominates(a, b) and pareto.dominates(b, c):
        assert pareto.dominates(a, c)


@given(st.floats(0, 2), st.floats(0, 2))
def test_excess_is_zero_exactly_within_the_budget(flash, instructions):
    budget = Budget(100, 1000)
    over = budget.excess((1.0, flash * 100, instructions * 1000))
    assert (over == 0) == (flash * 100 <= 100 and instructions * 1000 <= 1000)
    assert Budget().excess((1.0, flash, instructions)) == 0


def test_of_equal_losses_the_more_accurate_then_the_smaller_wins():
    one = Evaluation(("b",), Score(0.9, 1.0, 50, 7))
    assert one.rank < Evaluation(("a",), Score(0.8, 1.0, 10, 7)).rank
    assert one.rank < Evaluation(("a",), Score(0.9, 1.0, 51, 1)).rank
