"""The reader gives back what is in a file, and a sentence for what cannot be used."""

from dataclasses import replace
from pathlib import Path

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from edgeasr import graph as graphs
from edgeasr.errors import InputError
from edgeasr.graph import Graph, Op, Quantization, Tensor
from tests import tiny
from tests.vectors.kernels.tflite_builder import serialize


def _changed(index: int, **changes: object) -> bytes:
    """The tiny model's file with one tensor changed."""
    model = tiny.graph()
    tensors = list(model.tensors)
    tensors[index] = replace(tensors[index], **changes)
    return serialize(replace(model, tensors=tuple(tensors)))


def test_what_was_written_is_read() -> None:
    wanted = tiny.graph()

    got = graphs.parse(serialize(wanted))

    assert (got.inputs, got.outputs) == (wanted.inputs, wanted.outputs)
    for one, other in zip(got.ops, wanted.ops, strict=True):
        assert (one.kind, one.inputs, one.outputs) == (other.kind, other.inputs, other.outputs)
        assert {k: one.options[k] for k in other.options} == other.options
    for one, other in zip(got.tensors, wanted.tensors, strict=True):
        assert (one.name, one.shape, one.dtype) == (other.name, other.shape, other.dtype)
        assert (one.data is None) == (other.data is None)
        if other.data is not None:
            np.testing.assert_array_equal(one.data, other.data)
        if other.quantization is not None:
            np.testing.assert_array_equal(one.quantization.scales, other.quantization.scales)
            np.testing.assert_array_equal(
                one.quantization.zero_points, other.quantization.zero_points
            )


def test_int4_is_unpacked() -> None:
    values = np.arange(-8, 7, dtype=np.int8)
    model = Graph(
        "m",
        (
            Tensor(0, "in", (15,), "int8", None, tiny.quantized(1.0)),
            Tensor(1, "w", (15,), "int4", values, tiny.quantized(1.0)),
            Tensor(2, "out", (15,), "int8", None, tiny.quantized(1.0)),
        ),
        (Op(0, "ADD", (0, 1), (2,), {"fused_activation_function": "NONE"}),),
        (0,),
        (2,),
    )

    np.testing.assert_array_equal(graphs.parse(serialize(model)).tensor(1).data, values)


@pytest.mark.parametrize("content", [b"", b"\x1c\0\0\0TFL", b"RIFF____WAVEfmt " * 9, b"\0" * 64])
def test_other_files_are_refused(content: bytes) -> None:
    with pytest.raises(InputError, match="not a TensorFlow Lite model"):
        graphs.parse(content, "kws.tflite")


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        graphs.load(tmp_path / "none.tflite")


@pytest.mark.parametrize(
    ("index", "changes", "says"),
    [
        (1, {"quantization": tiny.quantized(0.0)}, '"kernel" has a scale of 0'),
        (1, {"quantization": tiny.quantized(-1.0)}, '"kernel" has a scale of -1'),
        (1, {"quantization": tiny.quantized(np.nan)}, '"kernel" has a scale of nan'),
        (1, {"quantization": tiny.quantized(np.inf)}, '"kernel" has a scale of inf'),
        (1, {"quantization": tiny.quantized([1.0, 1.0])}, "2 scales along axis 0"),
        (1, {"quantization": tiny.quantized([1.0] * 4, axis=7)}, "4 scales along axis 7"),
        (
            1,
            {"quantization": Quantization(np.ones(4, np.float32), np.zeros(3, np.int32))},
            "3 zero points for 4 scales",
        ),
        (1, {"shape": (4, 3, 3, 2)}, "36 bytes of data; its shape .* needs 72"),
        (0, {"shape": (1, -6, 8, 1)}, "sizes are fixed and not negative"),
        (0, {"shape": (1 << 20, 1 << 20)}, "elements; at most"),
        (4, {"dtype": "float32", "data": np.array([np.nan, 1], np.float32)}, "not finite"),
    ],
)
def test_a_broken_tensor_is_named(index: int, changes: dict, says: str) -> None:
    with pytest.raises(InputError, match=f"kws.tflite: tensor #{index}.*{says}|{says}") as error:
        graphs.parse(_changed(index, **changes), "kws.tflite")
    assert f"tensor #{index}" in str(error.value)


@pytest.mark.parametrize(
    ("op", "changes", "says"),
    [
        (0, {"inputs": (0, 1, 99)}, "operator #0 CONV_2D inputs: no tensor 99"),
        (0, {"outputs": (-1,)}, "operator #0 CONV_2D outputs: no tensor -1"),
        (0, {"inputs": (7, 1, 2)}, 'reads tensor #7 "logits" before any operator makes it'),
        (1, {"inputs": (5, 4)}, 'reads tensor #5 "mean" before any operator makes it'),
        (3, {"outputs": (3,)}, 'writes tensor #3 "conv", which has a value already'),
        (3, {"outputs": (1,)}, 'writes tensor #1 "kernel", which has a value already'),
    ],
)
def test_a_broken_operator_is_named(op: int, changes: dict, says: str) -> None:
    model = tiny.graph()
    ops = list(model.ops)
    ops[op] = replace(ops[op], **changes)

    with pytest.raises(InputError, match=says):
        graphs.parse(serialize(replace(model, ops=tuple(ops))), "kws.tflite")


def test_an_output_that_nobody_makes_is_named() -> None:
    model = tiny.graph()

    with pytest.raises(InputError, match='output tensor #7 "logits" is made by no operator'):
        graphs.parse(serialize(replace(model, ops=model.ops[:2], outputs=(7,))))


def test_third_party_models_are_read(shared_data: Path) -> None:
    models = sorted((shared_data / "models").glob("*.tflite"))

    assert len(models) == 16
    for path in models:
        model = graphs.load(path)
        assert model.ops and model.inputs and model.outputs, path.name


def test_what_one_operator_makes_twice_is_named() -> None:
    model = tiny.graph()
    ops = (*model.ops[:3], replace(model.ops[3], outputs=(8, 8)))

    with pytest.raises(InputError, match='writes tensor #8 "scores", which has a value already'):
        graphs.parse(serialize(replace(model, ops=ops)))


def test_a_cycle_is_named() -> None:
    model = tiny.graph()
    ops = (replace(model.ops[0], inputs=(7, 1, 2)), *model.ops[1:])

    with pytest.raises(InputError, match='CONV_2D reads tensor #7 "logits" before any operator'):
        graphs.parse(serialize(replace(model, ops=ops)))


def test_errors_of_other_subgraphs_name_them() -> None:
    model = tiny.graph()
    other = replace(model, tensors=(replace(model.tensors[0], shape=(1, -1)), *model.tensors[1:]))

    with pytest.raises(InputError, match='subgraph #1: tensor #0 "features" has shape'):
        graphs.parse(serialize(replace(model, subgraphs=(other,))))


def test_counts_are_bounded() -> None:
    model = tiny.graph()
    relu = Op(0, "RELU", (8,), (9,))
    many = tuple(replace(relu, index=i) for i in range(2100))

    with pytest.raises(InputError, match="more than 2,048 operators in all"):
        graphs.parse(serialize(replace(model, ops=many)))
    with pytest.raises(InputError, match="holds 71 subgraphs; a model has 1 to 64"):
        graphs.parse(serialize(replace(model, subgraphs=(Graph("e", (), (), (), ()),) * 70)))


def _sharing(count: int) -> bytes:
    """The tiny model's file with `count` tensors that have one buffer of 64 KiB."""
    model = schema.ModelT.InitFromPackedBuf(serialize(tiny.graph()), 0)
    weights = schema.BufferT()
    weights.data = np.ones(1 << 16, np.uint8)
    model.buffers.append(weights)
    for i in range(count):
        tensor = schema.TensorT()
        tensor.name, tensor.shape = f"w{i}", [1 << 16]
        tensor.type, tensor.buffer = schema.TensorType.INT8, len(model.buffers) - 1
        model.subgraphs[0].tensors.append(tensor)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def test_a_buffer_is_not_shared_without_end() -> None:
    """A small file must not become a model that takes hours."""
    assert len(graphs.parse(_sharing(8)).tensors) == len(tiny.graph().tensors) + 8

    with pytest.raises(InputError, match='"w8" is one of too many that share a buffer'):
        graphs.parse(_sharing(20))
