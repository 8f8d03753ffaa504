"""The memory plan: nothing live overlaps, outputs survive, the bound is a bound."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeasr import plan
from edgeasr.graph import Graph, Op, Tensor


@st.composite
def graphs(draw) -> tuple[Graph, dict[int, int], dict[int, int], dict[int, int]]:
    """A random graph of int8 tensors with branches, aliases, scratch, operations in place."""
    count = draw(st.integers(1, 12))
    sizes = draw(st.lists(st.integers(1, 5000), min_size=count + 1, max_size=count + 1))
    ops, aliases = [], {}
    for i in range(count):
        inputs = draw(st.lists(st.integers(0, i), min_size=1, max_size=3, unique=True))
        if draw(st.booleans()) and i % 3 == 2:
            sizes[i + 1] = sizes[inputs[0]]
            aliases[i + 1] = inputs[0]
            inputs = inputs[:1]
        ops.append(Op(i, "ADD", tuple(inputs), (i + 1,)))
    tensors = tuple(Tensor(i, f"t{i}", (n,), "int8") for i, n in enumerate(sizes))
    scratch = {i: draw(st.integers(0, 3000)) for i in range(count)}
    over = {op.index: draw(st.sampled_from(op.inputs)) for op in ops if draw(st.booleans())}
    over = {i: source for i, source in over.items() if i + 1 not in aliases}
    ahead = {i: 16 * draw(st.integers(0, 40)) for i in over}
    return Graph("random", tensors, tuple(ops), (0,), (count,)), aliases, scratch, over, ahead


@settings(max_examples=150)
@given(graphs())
def test_nothing_live_overlaps(case) -> None:
    graph, aliases, scratch, over, ahead = case
    made = plan.make(graph, aliases=aliases, overwrites=over, ahead=ahead, scratch_bytes=scratch)

    assert plan.overlaps(made.placed) == []
    assert made.arena_bytes >= made.lower_bound_bytes
    assert made.arena_bytes == max(p.end for p in made.placed)


@settings(max_examples=100)
@given(graphs())
def test_a_simulated_run_reads_back_what_was_written(case) -> None:
    """Run the graph in one arena with markers for values: the proof that does not use lifetimes."""
    graph, aliases, scratch, over, ahead = case
    made = plan.make(graph, aliases=aliases, overwrites=over, ahead=ahead, scratch_bytes=scratch)
    arena = np.full(made.arena_bytes, 255, np.uint8)

    def view(index: int) -> np.ndarray:
        return arena[made.tensors[index] :][: graph.tensor(index).bytes]

    def root(index: int) -> int:
        return root(aliases[index]) if index in aliases else index

    view(0)[:] = 0
    for op in graph.ops:
        if op.index in made.scratch:
            arena[made.scratch[op.index] :][: scratch[op.index]] = 200
        for index in op.inputs:
            assert (view(index) == root(index)).all()
        if op.outputs[0] not in aliases:
            view(op.outputs[0])[:] = op.outputs[0]
    assert (view(graph.outputs[0]) == root(graph.outputs[0])).all()


def test_overlap_is_found() -> None:
    one, two = plan.Buffer("one", 32, 0, 2), plan.Buffer("two", 32, 2, 3)

    clash = plan.overlaps([plan.Placed(one, 0), plan.Placed(two, 16)])
    apart = plan.overlaps([plan.Placed(one, 0), plan.Placed(two, 32)])

    assert len(clash) == 1
    assert apart == []


def test_chain_reaches_the_lower_bound() -> None:
    tensors = tuple(Tensor(i, f"t{i}", (n,), "int8") for i, n in enumerate((1000, 400, 1600, 16)))
    ops = tuple(Op(i, "RELU", (i,), (i + 1,)) for i in range(3))

    made = plan.make(Graph("chain", tensors, ops, (0,), (3,)))

    assert made.arena_bytes == made.lower_bound_bytes == 400 + 1600


def test_state_lies_behind_the_arena_and_shares_nothing() -> None:
    tensors = (
        Tensor(0, "in", (64,), "int8"),
        Tensor(1, "state", (64,), "int8", is_variable=True),
        Tensor(2, "a", (64,), "int8"),
        Tensor(3, "b", (64,), "int8"),
    )
    ops = (Op(0, "ADD", (0, 1), (2,)), Op(1, "RELU", (2,), (3,)))

    graph = Graph("stateful", tensors, ops, (0,), (3,))
    kept = [plan.Kept("own", 5), plan.Kept("state", 64, {1: 0})]

    made = plan.make(graph, aliases={2: 1}, kept=kept)

    assert [(p.buffer.name, p.offset - made.arena_bytes) for p in made.state] == [
        ("own", 0),
        ("state", 16),
    ]
    assert made.tensors[1] == made.tensors[2] == made.arena_bytes + 16
    assert {p.buffer.name for p in made.placed} == {"in", "b"}
    assert made.state_bytes == 16 + 64
    assert made.ram_bytes == made.arena_bytes + made.state_bytes


@pytest.mark.parametrize(("bytes_", "aligned"), [(1, 16), (16, 16), (17, 32)])
def test_buffers_are_aligned(bytes_: int, aligned: int) -> None:
    assert plan.Buffer("b", bytes_, 0, 0).aligned_bytes == aligned


def test_an_operation_in_place_has_its_input_s_memory() -> None:
    """A chain of equal tensors lies in one place, but for what is still needed."""
    tensors = tuple(Tensor(i, f"t{i}", (800,), "int8") for i in range(5))
    ops = (*(Op(i, "X", (i,), (i + 1,)) for i in range(3)), Op(3, "ADD", (3, 2), (4,)))
    graph = Graph("chain", tensors, ops, (0,), (4,))

    apart = plan.make(graph)
    made = plan.make(graph, overwrites={0: 0, 1: 1, 2: 2, 3: 3})

    assert apart.arena_bytes == 3 * 800
    assert made.arena_bytes == made.lower_bound_bytes == 2 * 800
    assert made.tensors[0] == made.tensors[1] == made.tensors[2]
    assert made.tensors[3] == made.tensors[4] != made.tensors[2]


def test_an_input_may_have_to_lie_ahead_of_what_is_written_over_it() -> None:
    """The first 500 bytes end at 820 of 832; what is written over them begins at 0."""
    tensors = tuple(Tensor(i, f"t{i}", (n,), "int8") for i, n in enumerate((500, 800, 800)))
    graph = Graph("chain", tensors, tuple(Op(i, "X", (i,), (i + 1,)) for i in range(2)), (0,), (2,))

    made = plan.make(graph, overwrites={0: 0, 1: 1}, ahead={0: 320})
    apart = plan.make(graph, overwrites={0: 0, 1: 1}, ahead={0: 1600})

    assert (made.arena_bytes, made.tensors) == (832, {0: 320, 1: 0, 2: 0})
    assert apart.arena_bytes == 512 + 800


def test_what_lies_ahead_with_a_larger_input_before_it_is_no_reason_for_more_memory() -> None:
    """t1 takes the place of t0: 800 bytes that would lie ahead of t2."""
    tensors = tuple(Tensor(i, f"t{i}", (n,), "int8") for i, n in enumerate((800, 160, 800)))
    graph = Graph("chain", tensors, tuple(Op(i, "X", (i,), (i + 1,)) for i in range(2)), (0,), (2,))

    made = plan.make(graph, overwrites={0: 0, 1: 1}, ahead={1: 640})

    assert made.arena_bytes == 960


def test_a_large_input_is_not_kept_for_a_small_output() -> None:
    """In place, the 3200 bytes of t1 would stay while t3 is made of 3200 others."""
    sizes = (16, 3200, 16, 3200, 16)
    tensors = tuple(Tensor(i, f"t{i}", (n,), "int8") for i, n in enumerate(sizes))
    ops = (*(Op(i, "X", (i,), (i + 1,)) for i in range(3)), Op(3, "ADD", (3, 2), (4,)))

    made = plan.make(Graph("x", tensors, ops, (0,), (4,)), overwrites={1: 1})

    assert made.arena_bytes == 3200 + 2 * 16
