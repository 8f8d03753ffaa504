"""Resource variables: what they start with, and what is refused, by operator and name."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from edgeasr import graph as graphs
from edgeasr.codegen import coverage
from edgeasr.codegen.model import generate
from edgeasr.errors import InputError
from edgeasr.graph import Graph, Op, reset_restarts, resource_variables
from tests.vectors.kernels.programs import POINT, Program
from tests.vectors.kernels.tflite_builder import serialize

_START = np.arange(6, dtype=np.int8).reshape(1, 2, 1, 3)


def _stream(start: np.ndarray | None = None) -> Program:
    """A variable that is read and assigned; the output is the window."""
    program = Program(3, 2)
    program.variable("past", 2, start)
    window = program.join(program.read("past"), program.input)
    program.assign("past", program.cut(window, 2, 4))
    return program


def _graph(start: np.ndarray | None = None) -> Graph:
    program = _stream(start)
    joins = [op for op in program.ops if op.kind == "CONCATENATION"]
    return program.graph(joins[0].outputs[0])


def _variable(graph: Graph) -> graphs.Variable:
    (found,) = {v.name: v for v in resource_variables(graph).values()}.values()
    return found


def test_a_variable_starts_with_the_zero_point() -> None:
    graph = graphs.parse(serialize(_graph()))

    found = _variable(graph)

    assert (found.name, found.shape, found.dtype) == ("past", (1, 2, 1, 3), "int8")
    assert found.initial.tolist() == [POINT & 0xFF] * 6
    assert graph.stateful and reset_restarts(graph)


def test_call_once_sets_the_start() -> None:
    graph = graphs.parse(serialize(_graph(_START)))

    found = _variable(graph)

    assert found.initial.tolist() == list(range(6))
    assert len(graph.subgraphs) == 1
    assert not reset_restarts(graph)


def _at(kind: str, **changes: object) -> Callable[[Graph], Graph]:
    """Change the first operation of a kind."""

    def change(graph: Graph) -> Graph:
        place = next(i for i, op in enumerate(graph.ops) if op.kind == kind)
        ops = list(graph.ops)
        ops[place] = replace(ops[place], **changes)
        return replace(graph, ops=tuple(ops))

    return change


def _shape_of_read(graph: Graph) -> Graph:
    read = next(op for op in graph.ops if op.kind == "READ_VARIABLE")
    tensors = list(graph.tensors)
    tensors[read.outputs[0]] = replace(tensors[read.outputs[0]], shape=(1, 3, 1, 2))
    return replace(graph, tensors=tuple(tensors))


def _type_of_start(graph: Graph) -> Graph:
    once = graph.subgraphs[0]
    tensors = list(once.tensors)
    at = next(i for i, t in enumerate(tensors) if t.data is not None)
    wide = tensors[at].data.astype(np.int16)
    tensors[at] = replace(tensors[at], dtype="int16", data=wide)
    return replace(graph, subgraphs=(replace(once, tensors=tuple(tensors)),))


def _computed_start(graph: Graph) -> Graph:
    once = graph.subgraphs[0]
    tensors = tuple(replace(t, data=None) for t in once.tensors)
    return replace(graph, subgraphs=(replace(once, tensors=tensors),))


def _once_within_once(graph: Graph) -> Graph:
    once = graph.subgraphs[0]
    again = Op(len(once.ops), "CALL_ONCE", (), (), {"init_subgraph_index": 1})
    return replace(graph, subgraphs=(replace(once, ops=(*once.ops, again)),))


def _once_at_the_end(graph: Graph) -> Graph:
    first, *others = graph.ops
    moved = [*others, first]
    ops = tuple(replace(op, index=i) for i, op in enumerate(moved))
    return replace(graph, ops=ops)


def _without_assignments(graph: Graph) -> Graph:
    kept = [op for op in graph.ops if op.kind not in ("ASSIGN_VARIABLE", "CALL_ONCE")]
    ops = tuple(replace(op, index=i) for i, op in enumerate(kept))
    return replace(graph, ops=ops, subgraphs=())


def _two_containers(graph: Graph) -> Graph:
    other = {"container": "elsewhere", "shared_name": "past"}
    handle = len(graph.tensors)
    tensor = replace(graph.tensors[_handle(graph)], index=handle, name="other")
    op = Op(len(graph.ops), "VAR_HANDLE", (), (handle,), other)
    return replace(graph, tensors=(*graph.tensors, tensor), ops=(*graph.ops, op))


def _handle(graph: Graph) -> int:
    return next(op.outputs[0] for op in graph.ops if op.kind == "VAR_HANDLE")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_at("CALL_ONCE", options={"init_subgraph_index": 0}),
         "operator #0 CALL_ONCE: calls subgraph 0, which it is in; that would never end"),
        (_at("CALL_ONCE", options={"init_subgraph_index": 7}),
         "operator #0 CALL_ONCE: calls subgraph 7; the model has 2"),
        (_at("CALL_ONCE", options={"init_subgraph_index": -1}),
         "operator #0 CALL_ONCE: calls subgraph -1; the model has 2"),
        (_once_within_once,
         "operator #0 CALL_ONCE: calls subgraph 1, whose operator #2 is CALL_ONCE; only "
         "assignments of constants are supported"),
        (_computed_start, 'which is no constant, to variable "past"'),
        (_once_at_the_end, 'CALL_ONCE: sets variable "past" after the model has used it'),
        (_type_of_start,
         'is int16 [1, 2, 1, 3]; variable "past" is int8 [1, 2, 1, 3]'),
        (_shape_of_read, 'is int8 [1, 3, 1, 2]; variable "past" is int8 [1, 2, 1, 3]'),
        (_without_assignments,
         'operator #1 READ_VARIABLE: variable "past" is never assigned, so it has no size'),
        (_two_containers, 'variable "past" is in two containers; give it two names'),
        (_at("VAR_HANDLE", options={"container": "", "shared_name": ""}),
         "operator #1 VAR_HANDLE: names its variable ''; a name is printable text"),
        (_at("VAR_HANDLE", options={"container": "", "shared_name": "a\0b"}),
         "operator #1 VAR_HANDLE: names its variable 'a\\x00b'; a name is printable text"),
        (_at("READ_VARIABLE", inputs=(0,)), "READ_VARIABLE: tensor 0 is no handle"),
        (_at("ASSIGN_VARIABLE", inputs=(1,)),
         "ASSIGN_VARIABLE: has 1 inputs and 0 outputs; it takes 2 and 0"),
    ],
)  # fmt: skip
def test_variables_that_cannot_be_told_are_refused(
    change: Callable[[Graph], Graph], sentence: str
) -> None:
    graph = change(_graph(_START))

    with pytest.raises(InputError) as refused:
        resource_variables(graph)

    assert sentence in str(refused.value)
    assert coverage.check(graph) == (str(refused.value),) or sentence in str(coverage.check(graph))
    with pytest.raises(InputError, match="the ear engine cannot run this model"):
        generate(graph, name="x", labels=("a",), content=b"", board="b", where="x")


def test_what_is_wrong_with_a_variable_is_said_once() -> None:
    graph = _without_assignments(_graph())

    assert len(coverage.check(graph)) == 1


def test_a_handle_twice_is_one_variable() -> None:
    program = _stream(_START)
    program.variable("past", 2)
    window = program.join(program.read("past"), program.input)

    found = resource_variables(program.graph(window))

    assert len(found) == 2 and len(set(found.values())) == 1
