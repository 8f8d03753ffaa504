"""Multiply-accumulates of each kind of operation, against loops counted by hand."""

import pytest

from edgeasr.codegen.macs import macs
from edgeasr.graph import Graph, Op, Tensor

_LSTM = "UNIDIRECTIONAL_SEQUENCE_LSTM"


def _graph(kind: str, output: tuple[int, ...], *inputs: tuple[int, ...] | None, **options):
    shapes = [output, *(shape for shape in inputs if shape is not None)]
    tensors = tuple(Tensor(i, f"t{i}", shape, "int8") for i, shape in enumerate(shapes))
    numbers = iter(range(1, len(shapes)))
    places = tuple(-1 if shape is None else next(numbers) for shape in inputs)
    op = Op(0, kind, places, (0,), options)
    return Graph("main", tensors, (op,), (1,), (0,)), op


@pytest.mark.parametrize(
    ("count", "made"),
    [
        (3 * 4 * 6 * (2 * 2 * 5), _graph("CONV_2D", (1, 3, 4, 6), (1, 9, 9, 5), (6, 2, 2, 5))),
        (3 * 4 * 6 * (2 * 3),
         _graph("DEPTHWISE_CONV_2D", (1, 3, 4, 6), (1, 9, 9, 6), (1, 2, 3, 6))),
        (2 * 7 * 5, _graph("FULLY_CONNECTED", (2, 7), (2, 5), (7, 5))),
        # Every input value meets every tap of every output channel.
        (3 * 4 * 5 * (2 * 3 * 6),
         _graph("TRANSPOSE_CONV", (1, 6, 8, 6), (4,), (6, 2, 3, 5), (1, 3, 4, 5))),
        (8 * 10 + 8 * 4, _graph("SVDF", (1, 8), (1, 10), (8, 10), (8, 4))),
        (2 * 3 * (4 * 6 * 5 + 4 * 6 * 6),
         _graph(_LSTM, (2, 3, 6), (2, 3, 5), *[(6, 5)] * 4, *[(6, 6)] * 4)),
        (3 * 2 * 4 * 5, _graph("BATCH_MATMUL", (3, 2, 4), (3, 2, 5), (3, 5, 4))),
        (3 * 2 * 4 * 5, _graph("BATCH_MATMUL", (3, 2, 4), (3, 5, 2), (3, 5, 4), adj_x=True)),
        (0, _graph("RELU", (1, 4), (1, 4))),
    ],
    ids=lambda made: made[1].kind if isinstance(made, tuple) else "",
)  # fmt: skip
def test_counts(count: int, made: tuple[Graph, Op]) -> None:
    assert macs(*made) == count


def test_a_gate_that_is_left_out_counts_nothing() -> None:
    made = _graph(
        _LSTM, (1, 1, 6), (1, 1, 5),
        None, *[(6, 5)] * 3, None, *[(6, 6)] * 3,
    )  # fmt: skip

    assert macs(*made) == 3 * 6 * 5 + 3 * 6 * 6


@pytest.mark.parametrize("kind", ["CONV_2D", "SVDF", "TRANSPOSE_CONV", "BATCH_MATMUL"])
@pytest.mark.parametrize("inputs", [(), (0,), (0, 0, 0)])
def test_wrong_operations_have_none(kind: str, inputs: tuple[int, ...]) -> None:
    graph = Graph("main", (Tensor(0, "scalar", (), "int8"),), (), (0,), (0,))

    assert macs(graph, Op(0, kind, inputs, (0,))) in (0, 1, 2)
