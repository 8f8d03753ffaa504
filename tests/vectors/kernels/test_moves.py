"""Moves of elements that the random cases cannot hold: what TFLite-Micro refuses or leaves open.

Computed indices are compared with it; the rest with numpy.
"""

import numpy as np
import pytest

from edgeasr.codegen.host import HostModel
from edgeasr.codegen.lower import lower
from edgeasr.codegen.lower.copying import MOVED
from edgeasr.codegen.model import generate
from edgeasr.graph import Graph, Op, Quantization, Tensor
from tests.vectors.kernels import host
from tests.vectors.kernels.oracle import tflm

_Values = np.ndarray


def _graph(
    kind: str, inputs: list[_Values], constants: list[_Values], made: tuple, options: dict
) -> Graph:
    """A graph of one operation: computed inputs first, then constants; one output."""
    quantization = Quantization(np.array([0.1], np.float32), np.array([3], np.int32))
    tensors = []
    for values in (*inputs, *constants):
        data = values if len(tensors) >= len(inputs) else None
        scale = quantization if values.dtype in (np.int8, np.uint8) else None
        number = len(tensors)
        tensors.append(Tensor(number, f"t{number}", values.shape, values.dtype.name, data, scale))
    operands = tuple(range(len(tensors)))
    first = tensors[0]
    output = Tensor(len(tensors), "y", made, first.dtype, None, first.quantization)
    op = Op(0, kind, operands, (output.index,), options)
    ends = tuple(range(len(inputs))), (output.index,)
    return Graph("main", (*tensors, output), (op,), *ends)


def _run(graph: Graph, inputs: list[_Values]) -> _Values:
    (got,) = host.Layer(graph, lower(graph, graph.ops[0])).invoke(dict(enumerate(inputs)))
    return got


def _values(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> _Values:
    return rng.integers(0, 2 if dtype == "bool" else 100, shape).astype(dtype)


@pytest.mark.parametrize("dtype", MOVED)
def test_every_type_moves(dtype: str) -> None:
    values = _values(np.random.default_rng(1), (3, 4, 5), dtype)
    cases = {
        "TRANSPOSE": ([np.int32([2, 0, 1])], values.transpose(2, 0, 1)),
        "PAD": ([np.int32([[1, 0], [0, 2], [3, 1]])], None),
        "REVERSE_V2": ([np.int32([0, 2])], values[::-1, :, ::-1]),
        "SLICE": ([np.int32([1, 0, 2]), np.int32([2, 4, 2])], values[1:3, :, 2:4]),
    }
    for kind, (constants, expected) in cases.items():
        if expected is None:
            zero = 3 if dtype in ("int8", "uint8") else 0
            expected = np.pad(values, constants[0], constant_values=values.dtype.type(zero))
        graph = _graph(kind, [values], constants, expected.shape, {})

        assert np.array_equal(_run(graph, [values]), expected), (kind, dtype)


def test_transpositions_of_many_dimensions() -> None:
    rng = np.random.default_rng(2)
    for _ in range(20):
        shape = tuple(rng.integers(1, 4, 8))
        values, axes = _values(rng, shape, "int16"), rng.permutation(8).astype(np.int32)
        expected = values.transpose(axes)
        graph = _graph("TRANSPOSE", [values], [axes], expected.shape, {})

        assert np.array_equal(_run(graph, [values]), expected)


def test_many_inputs_are_joined() -> None:
    rng = np.random.default_rng(3)
    inputs = [_values(rng, (2, int(n)), "int8") for n in rng.integers(1, 5, 64)]
    expected = np.concatenate(inputs, axis=1)
    options = {"axis": 1, "fused_activation_function": "NONE"}
    graph = _graph("CONCATENATION", inputs, [], expected.shape, options)

    assert np.array_equal(_run(graph, inputs), expected)


@pytest.mark.parametrize("space", [(7,), (5, 4)])
def test_blocks_are_padded_with_zeros(space: tuple[int, ...]) -> None:
    """In TFLite-Micro it is zeros where its memory was never used; nothing else is sure there."""
    rng = np.random.default_rng(4)
    for _ in range(20):
        block = rng.integers(1, 4, len(space))
        pads = rng.integers(0, 4, (len(space), 2))
        pads[:, 1] += -(np.array(space) + pads.sum(axis=1)) % block
        values = _values(rng, (2, *space, 3), "int8")
        padded = np.pad(values, [(0, 0), *pads, (0, 0)])
        parts = [
            padded[(slice(None), *(slice(at, None, n) for at, n in zip(place, block, strict=True)))]
            for place in np.ndindex(*block)
        ]
        expected = np.concatenate(parts)
        constants = [block.astype(np.int32), pads.astype(np.int32)]
        graph = _graph("SPACE_TO_BATCH_ND", [values], constants, expected.shape, {})

        assert np.array_equal(_run(graph, [values]), expected)


def test_computed_indices() -> None:
    rng = np.random.default_rng(5)
    values = _values(rng, (4, 6, 3), "int8")
    for axis in range(3):
        indices = rng.integers(0, values.shape[axis], (2, 5), np.int32)
        made = np.take(values, indices, axis).shape
        graph = _graph("GATHER", [values, indices], [], made, {"axis": axis, "batch_dims": 0})
        assert np.array_equal(_run(graph, [values, indices]), tflm(graph, [values, indices]))
    for depth in range(1, 4):
        picked = [rng.integers(0, n, 7, np.int32) for n in values.shape[:depth]]
        indices = np.stack(picked, axis=-1)
        made = (7, *values.shape[depth:])
        graph = _graph("GATHER_ND", [values, indices], [], made, {})
        assert np.array_equal(_run(graph, [values, indices]), tflm(graph, [values, indices]))


def test_indices_that_are_not_there_stay_inside() -> None:
    values = np.arange(6, dtype=np.int8).reshape(3, 2)
    wild = np.int32([-(2**31), -1, 3, 2**31 - 1])
    graph = _graph("GATHER", [values, wild], [], (4, 2), {"axis": 0, "batch_dims": 0})

    assert _run(graph, [values, wild]).tolist() == [[0, 1], [0, 1], [4, 5], [4, 5]]

    graph = _graph("GATHER_ND", [values, wild.reshape(4, 1)], [], (4, 2), {})
    assert set(map(tuple, _run(graph, [values, wild.reshape(4, 1)]).tolist())) <= {
        (0, 1), (2, 3), (4, 5),
    }  # fmt: skip


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_computed_places_of_an_update(dtype: str) -> None:
    rng = np.random.default_rng(6)
    values, update = _values(rng, (5, 6), "int16"), _values(rng, (2, 3), "int16")
    most = np.iinfo(dtype)
    for place in [(0, 0), (3, 3), (1, 2), (9, -9), (most.min, most.max), (most.max, most.min)]:
        given = [values, update, np.array(place, dtype)]
        graph = _graph("DYNAMIC_UPDATE_SLICE", given, [], values.shape, {})

        assert np.array_equal(_run(graph, given), tflm(graph, given))


def test_alike_bytes_of_a_value_fill_as_bytes() -> None:
    values = np.zeros((2, 2), np.int32)
    pads, value = np.int32([[1, 0], [0, 0]]), np.int32([0x07070707])
    graph = _graph("PADV2", [values], [pads, value], (3, 2), {})

    assert _run(graph, [values]).tolist() == [[0x07070707] * 2, [0, 0], [0, 0]]


def test_parts_of_a_tensor_go_through_a_model() -> None:
    """SPLIT_V, one part unused, UNPACK and PACK of another, then joined in another order."""
    shapes = {"x": (6, 4), "a": (2, 4), "b": (3, 4), "c": (1, 4), "b0": (4,), "b1": (4,),
              "b2": (4,), "d": (3, 4), "y": (5, 4)}  # fmt: skip
    tensors = [Tensor(i, n, shape, "int16") for i, (n, shape) in enumerate(shapes.items())]
    for name, values in (("sizes", [2, 3, 1]), ("axis", 0)):
        data = np.array(values, np.int32)
        tensors.append(Tensor(len(tensors), name, data.shape, "int32", data))
    joined = {"axis": 0, "fused_activation_function": "NONE"}
    ops = (
        Op(0, "SPLIT_V", (0, 9, 10), (1, 2, 3), {"num_splits": 3}),
        Op(1, "UNPACK", (2,), (4, 5, 6), {"axis": 0, "num": 3}),
        Op(2, "PACK", (6, 4, 4), (7,), {"axis": 0, "values_count": 3}),
        Op(3, "CONCATENATION", (7, 1), (8,), joined),
    )
    graph = Graph("parts", tuple(tensors), ops, (0,), (8,))
    values = np.arange(24, dtype=np.int16).reshape(6, 4)
    code = generate(graph, name="parts", labels=["?"], content=b"", board="host", where="parts")

    got = HostModel(code, graph).invoke(values)

    assert np.array_equal(got, values[[4, 2, 2, 0, 1]])
    assert np.array_equal(got, tflm(graph, [values]))
