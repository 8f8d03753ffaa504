"""Models with state equal TFLite-Micro over many inferences, layer by layer, also after a reset."""

from collections import Counter

import numpy as np
import pytest

from edgeasr.codegen.model import ModelCode
from tests.vectors.kernels.agreement import check
from tests.vectors.kernels.programs import Program, random


def _kernels(code: ModelCode) -> Counter[str]:
    return Counter(layer.kernel for layer in code.layers)


@pytest.mark.parametrize("seed", range(40))
def test_random_programs(seed: int) -> None:
    check(random(seed))


@pytest.mark.parametrize("rows", [1, 2, 5])
@pytest.mark.parametrize("started", [False, True])
def test_a_window_over_a_stream_takes_one_move(rows: int, started: bool) -> None:
    p = Program(3, 2)
    start = np.arange(rows * 3, dtype=np.int8).reshape(1, rows, 1, 3) if started else None
    p.variable("past", rows, start)
    old = p.read("past")
    new = p.sum(p.input, p.input)
    window = p.join(old, new)
    p.assign("past", p.cut(window, 2, 2 + rows))

    code = check(p.graph(p.sum(window, window)))

    assert _kernels(code) == {"ear_shift": 1, "ear_add_s8": 2}
    assert code.state_bytes == -(-(rows + 2) * 3 // 16) * 16


def test_a_window_that_is_the_variable_takes_one_move() -> None:
    p = Program(4, 1)
    p.variable("past", 6)
    kept = p.cut(p.read("past"), 1, 6)
    window = p.join(kept, p.sum(p.input, p.input))
    p.assign("past", window)

    code = check(p.graph(p.sum(window, window)))

    assert _kernels(code) == {"ear_shift": 1, "ear_add_s8": 2}
    assert (code.state_bytes, code.arena_bytes) == (32, 32)


def test_rows_that_are_the_models_input_are_appended() -> None:
    p = Program(4, 1)
    p.variable("past", 2)
    window = p.join(p.read("past"), p.input)
    p.assign("past", p.cut(window, 1, 3))

    code = check(p.graph(window))

    assert _kernels(code) == {"ear_shift": 1, "ear_append": 1}


def test_two_windows_over_the_same_rows() -> None:
    p = Program(2, 1)
    p.variable("one", 2)
    p.variable("two", 3)
    olds = [p.read("one"), p.read("two")]
    new = p.sum(p.input, p.input)
    windows = [p.join(old, new) for old in olds]
    p.assign("one", p.cut(windows[0], 1, 3))
    p.assign("two", p.cut(windows[1], 1, 4))

    code = check(p.graph(p.join(*windows)))

    kernels = _kernels(code)
    assert (kernels["ear_shift"], kernels["ear_append"]) == (2, 1)


def test_a_value_is_read_and_made_in_place() -> None:
    p = Program(4, 2)
    p.variable("past", 2)
    mixed = p.sum(p.read("past"), p.input)
    p.assign("past", p.sum(p.input, p.input))

    code = check(p.graph(mixed))

    assert _kernels(code) == {"ear_add_s8": 2}


def test_a_sum_over_time_takes_one_copy() -> None:
    """The new value is made of the old one: they cannot share memory while it is made."""
    p = Program(4, 2)
    p.variable("total", 2)
    total = p.sum(p.read("total"), p.input)
    p.assign("total", total)

    code = check(p.graph(p.sum(total, total)))

    assert _kernels(code) == {"ear_add_s8": 2, "ear_copy_block": 1}


def test_an_old_value_outlives_its_assignment() -> None:
    p = Program(4, 2)
    p.variable("past", 2)
    old = p.read("past")
    p.assign("past", p.sum(p.input, p.input))
    late = p.read("past")

    check(p.graph(p.join(old, late)))


def test_variables_change_places() -> None:
    p = Program(4, 2)
    start = np.arange(8, dtype=np.int8).reshape(1, 2, 1, 4)
    p.variable("one", 2, start)
    p.variable("two", 2)
    one, two = p.read("one"), p.read("two")
    p.assign("one", two)
    p.assign("two", one)

    check(p.graph(p.join(one, two)))


def test_a_constant_is_assigned() -> None:
    p = Program(4, 2)
    p.variable("past", 2)
    old = p.read("past")
    p.assign("past", p.tensor(2, np.arange(8, dtype=np.int8).reshape(1, 2, 1, 4)))

    check(p.graph(p.sum(old, p.input)))


def test_the_input_is_assigned_and_the_output_is_a_variable() -> None:
    p = Program(4, 2)
    p.variable("past", 2)
    old = p.read("past")
    p.assign("past", p.input)

    check(p.graph(old))


def test_new_rows_are_the_value_of_another_variable() -> None:
    p = Program(2, 1)
    p.variable("past", 2)
    p.variable("last", 1)
    window = p.join(p.read("past"), p.read("last"))
    p.assign("past", p.cut(window, 1, 3))
    p.assign("last", p.sum(p.input, p.input))

    code = check(p.graph(window))

    assert _kernels(code) == {"ear_shift": 1, "ear_copy_block": 1, "ear_add_s8": 1}


def test_new_rows_are_also_the_value_of_another_variable() -> None:
    p = Program(2, 1)
    p.variable("past", 2)
    p.variable("last", 1)
    old, before = p.read("past"), p.read("last")
    new = p.sum(p.input, before)
    window = p.join(old, new)
    p.assign("past", p.cut(window, 1, 3))
    p.assign("last", new)

    check(p.graph(p.join(window, before)))


def test_a_variable_is_assigned_its_own_value() -> None:
    """In place, the copy would be onto itself, which memcpy does not allow."""
    p = Program(2, 1)
    start = np.array([[[[3, 4]]]], np.int8)
    p.variable("past", 1, start)
    old = p.read("past")
    made = p.sum(old, p.input)
    p.assign("past", old)

    code = check(p.graph(made))

    assert _kernels(code) == {"ear_copy_block": 2, "ear_add_s8": 1}
