"""Graphs with unusual ends and uses equal TFLite-Micro, or are refused with a sentence."""

from dataclasses import replace

import numpy as np
import pytest

from edgeasr.codegen.model import generate
from edgeasr.errors import InputError
from edgeasr.graph import Graph
from tests.vectors.kernels.agreement import check
from tests.vectors.kernels.programs import Program

_VALUES = np.arange(8, dtype=np.int8).reshape(1, 2, 1, 4)


def test_a_constant_is_used_often() -> None:
    p = Program(4, 2)
    held = p.tensor(2, _VALUES)
    one, two = p.sum(p.input, held), p.sum(held, p.input)

    check(p.graph(p.join(held, p.sum(one, two), held)))


def test_operations_on_constants_alone() -> None:
    p = Program(4, 2)
    held = p.tensor(2, _VALUES)
    twice = p.sum(held, held)
    moved = p.reshaped(p.cut(p.join(held, twice), 1, 3))

    check(p.graph(p.sum(moved, p.input)))


def test_an_output_made_of_constants_alone() -> None:
    p = Program(4, 2)
    held = p.tensor(2, _VALUES)

    check(p.graph(p.sum(held, held)))


def test_one_tensor_as_both_operands() -> None:
    p = Program(4, 2)

    check(p.graph(p.join(p.sum(p.input, p.input), p.input, p.input)))


def test_an_output_that_nobody_reads() -> None:
    p = Program(4, 2)
    p.sum(p.input, p.input)
    p.cut(p.input, 0, 1)

    check(p.graph(p.sum(p.reshaped(p.input), p.input)))


def test_the_input_is_the_output() -> None:
    p = Program(4, 2)
    p.sum(p.input, p.input)

    check(p.graph(p.input))


def test_the_output_is_the_input_reshaped() -> None:
    p = Program(4, 2)
    p.sum(p.input, p.input)

    check(p.graph(p.reshaped(p.input)))


def test_the_output_is_used_further() -> None:
    p = Program(4, 2)
    made = p.sum(p.input, p.input)
    p.sum(made, p.input)

    check(p.graph(made))


def _refused(graph: Graph) -> str:
    with pytest.raises(InputError) as refused:
        generate(graph, name="x", labels=("a",), content=b"", board="b", where="x.tflite")
    return str(refused.value)


def _graph() -> Graph:
    p = Program(4, 2)
    return p.graph(p.sum(p.input, p.input))


def test_several_ends_are_refused() -> None:
    graph = _graph()
    wanted = "the ear engine runs models with one of each"

    assert _refused(replace(graph, inputs=(0, 1))) == f"x.tflite: 2 inputs and 1 outputs; {wanted}"
    assert _refused(replace(graph, outputs=(0, 1))) == f"x.tflite: 1 inputs and 2 outputs; {wanted}"
    assert _refused(replace(graph, inputs=())) == f"x.tflite: 0 inputs and 1 outputs; {wanted}"


def test_a_model_that_computes_nothing_is_refused() -> None:
    p = Program(4, 2)

    assert "the model computes nothing" in _refused(p.graph(p.reshaped(p.input)))
