"""What a model keeps between inferences: its place, its first values, what a reset restores."""

import numpy as np

from edgeasr import plan
from edgeasr.codegen import persistent
from edgeasr.codegen.call import KernelCall, State
from edgeasr.codegen.windows import Home
from edgeasr.graph import Graph, Op, Quantization, Tensor


def _quantized(zero_point: int) -> Quantization:
    return Quantization(np.ones(1, np.float32), np.array([zero_point], np.int32))


def _graph(*tensors: Tensor, **others: object) -> Graph:
    return Graph("main", tensors, (), (), (), **others)


def test_variable_tensors_start_at_the_zero_point_where_they_are_int8() -> None:
    found = persistent.regions(
        _graph(
            Tensor(0, "a", (2,), "int8", None, _quantized(-3), is_variable=True),
            Tensor(1, "b", (2,), "int16", None, _quantized(7), is_variable=True),
            Tensor(2, "c", (2,), "float32", None, None, is_variable=True),
            Tensor(3, "d", (2,), "int8", None, _quantized(-3)),
        ),
        (),
        {},
    )

    assert [(r.tensors, r.fill, r.initial.size) for r in found] == [
        ({0: 0}, 253, 2),
        ({1: 0}, 0, 4),
        ({2: 0}, 0, 8),
    ]


def test_variables_have_their_homes() -> None:
    homes = {
        "one": Home(np.array([1, 2], np.uint8), {0: 0, 2: 0}),
        "two": Home(np.zeros(2, np.uint8), {1: 0}),
    }

    found = persistent.regions(_graph(), (), homes)

    assert [(r.name, r.tensors, r.fill) for r in found] == [
        ("variable one", {0: 0, 2: 0}, None),
        ("variable two", {1: 0}, 0),
    ]


def test_a_layers_own_memory_starts_with_its_values() -> None:
    ops = [Op(i, "SVDF", (), ()) for i in range(2)]
    state = State("line", "int16_t", np.array([1, -1]))
    calls = [(op, KernelCall("ear_x", (), (state,))) for op in ops]

    found = persistent.regions(_graph(), calls, {})

    assert [r.name for r in found] == ["line of #0 SVDF", "line of #1 SVDF"]
    assert found[0].initial.tolist() == [1, 0, 255, 255]


def test_a_reset_fills_neighbours_at_once_and_copies_what_differs() -> None:
    contents = ([5] * 20, [5] * 4, [0] * 4, [1, 2, 3], [1, 2, 3])
    found = [persistent.Region(f"r{i}", np.array(c, np.uint8)) for i, c in enumerate(contents)]
    made = plan.make(_graph(), kept=[r.kept for r in found])

    steps = persistent.resets(found, made)

    assert [(s["offset"], s["bytes"], s["fill"]) for s in steps] == [
        (0, 36, 5), (48, 4, 0), (64, 3, None), (80, 3, None),
    ]  # fmt: skip
    assert [s["name"] for s in steps if s["table"] is not None] == ["start_2", "start_3"]
    assert persistent.reset_bytes(found) == 6
