"""TFLite-Micro's resolver has exactly the model's operators, by the leanest registrations."""

import dataclasses
import zlib

import numpy as np
import pytest

from edgeasr.codegen import tflm, tflm_arena
from edgeasr.codegen.tflm import resolver, uses
from edgeasr.codegen.tflm.uses import Use
from edgeasr.errors import InputError
from edgeasr.graph import Graph, Op, Tensor
from tests import tiny
from tests.vectors.kernels.tflite_builder import serialize

INT8_CONV = Use("CONV_2D", ("int8", "int8", "int32"), ("int8",))


def _calls(*given: Use) -> tuple[str, ...]:
    return resolver.choose(given, "m.tflite").calls


@pytest.mark.parametrize(
    ("given", "call"),
    [
        ([INT8_CONV], "AddConv2D(tflite::Register_CONV_2D_INT8())"),
        (
            [Use("CONV_2D", ("int16", "int8", "int64"), ("int16",))],
            "AddConv2D(tflite::Register_CONV_2D_INT16())",
        ),
        (
            [Use("DEPTHWISE_CONV_2D", ("int8", "int4", "int32"), ("int8",))],
            "AddDepthwiseConv2D(tflite::Register_DEPTHWISE_CONV_2D_INT4())",
        ),
        (
            [Use("SOFTMAX", ("int8",), ("int16",))],
            "AddSoftmax(tflite::Register_SOFTMAX_INT8_INT16())",
        ),
        (
            [Use("TRANSPOSE_CONV", ("int32", "int8", "int8", "int32"), ("int8",))],
            "AddTransposeConv(tflite::Register_TRANSPOSE_CONV_INT8())",
        ),
        ([Use("MUL", ("int16", "int16"), ("int16",))], "AddMul()"),
        ([Use("MEAN", ("int8", "int32"), ("int8",))], "AddMean()"),
        ([Use("CONV_2D", ("float32", "float32", "float32"), ("float32",))], "AddConv2D()"),
        ([Use("PADV2", ("int8", "int32", "int8"), ("int8",))], "AddPadV2()"),
        ([Use("L2_POOL_2D", ("float32",), ("float32",))], "AddL2Pool2D()"),
        ([Use("CUSTOM:SignalRfft", ("int16",), ("int32",))], "AddRfft()"),
        ([Use("VAR_HANDLE", (), ("resource",))], "AddVarHandle()"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_registrations(given: list[Use], call: str) -> None:
    assert _calls(*given) == (call,)


def test_one_use_of_another_type_needs_the_general_registration() -> None:
    wide = Use("CONV_2D", ("int16", "int8", "int64"), ("int16",))

    assert _calls(INT8_CONV, INT8_CONV) == ("AddConv2D(tflite::Register_CONV_2D_INT8())",)
    assert _calls(INT8_CONV, wide) == ("AddConv2D()",)


def test_each_kind_is_added_once_in_order() -> None:
    reshape, softmax = Use("RESHAPE", ("int8",), ("int8",)), Use("SOFTMAX", ("int8",), ("int8",))

    calls = _calls(softmax, reshape, INT8_CONV, reshape)

    assert [call.partition("(")[0] for call in calls] == ["AddConv2D", "AddReshape", "AddSoftmax"]


def test_headers_that_the_resolver_lacks_are_named() -> None:
    pad = Use("PAD", ("int8", "int32"), ("int8",))

    assert resolver.choose([pad], "m").headers == ("tensorflow/lite/micro/kernels/pad.h",)
    assert resolver.choose([INT8_CONV], "m").headers == ()


def test_what_upstream_does_not_know_is_refused_by_name() -> None:
    given = [Use("CUSTOM:Mine", ("int8",), ("int8",)), Use("RFFT2D", ("int8",), ("int8",))]
    with pytest.raises(InputError, match=r"^m: TFLite-Micro has no operator CUSTOM:Mine, RFFT2D;"):
        resolver.choose(given, "m")


def _with_subgraph() -> Graph:
    """A graph whose CALL_ONCE assigns two variables in another subgraph, one of them twice."""
    handle = Tensor(0, "v", (), "resource")
    value = Tensor(1, "zero", (1, 4), "int8", np.zeros((1, 4), np.int8))
    named = [{"container": "", "shared_name": name} for name in ("a", "b", "a")]
    ops = [
        op
        for options in named
        for op in (
            Op(0, "VAR_HANDLE", (), (0,), options),
            Op(1, "ASSIGN_VARIABLE", (0, 1), ()),
        )
    ]
    start = Graph("start", (handle, value), tuple(ops), (), ())
    main = tiny.graph()
    once = Op(4, "CALL_ONCE", (), (), {"init_subgraph_index": 1})
    return dataclasses.replace(main, ops=(*main.ops, once), subgraphs=(start,))


def test_operators_of_other_subgraphs_count() -> None:
    graph = _with_subgraph()

    kinds = {use.kind for use in uses.uses(graph)}

    assert {"CALL_ONCE", "VAR_HANDLE", "ASSIGN_VARIABLE", "CONV_2D"} <= kinds
    assert Use("ASSIGN_VARIABLE", ("resource", "int8"), ()) in set(uses.uses(graph))
    assert uses.variable_count(graph) == 2


def _generate(graph: Graph) -> tflm.TflmCode:
    return tflm.generate(
        graph,
        name="m",
        labels=tiny.LABELS,
        content=serialize(graph),
        board="b",
        where="m.tflite",
        target=tflm_arena.cortex_m("cortex-m4"),
        hosted=False,
    )


def test_the_file_is_embedded_with_its_length_and_crc() -> None:
    graph = tiny.graph()
    content = serialize(graph)

    code = _generate(graph)

    header, data = code.files["model.h"], code.files["model_data.c"]
    assert f"#define EAR_MODEL_DATA_BYTES {len(content)}u\n" in header
    assert f"#define EAR_MODEL_DATA_CRC 0x{zlib.crc32(content):08x}u\n" in header
    body = data.split("[EAR_MODEL_DATA_BYTES] = {\n")[1].split("};")[0]
    assert bytes(int(number) for number in body.split(",") if number.strip()) == content
    assert "const alignas(16) uint8_t ear_model_data" in data


def test_layers_are_the_operators_in_their_order() -> None:
    code = _generate(tiny.graph())

    assert [(layer.index, layer.op, layer.kernel) for layer in code.layers] == [
        (0, 0, "CONV_2D_INT8"), (1, 1, "MEAN"), (2, 2, "FULLY_CONNECTED_INT8"),
        (3, 3, "SOFTMAX_INT8"),
    ]  # fmt: skip
    assert [layer.tensor for layer in code.layers] == [3, 5, 7, 8]
    assert code.constant_bytes == len(serialize(tiny.graph()))
    assert code.state_bytes == 0
    assert "Reset()" not in code.files["model.cpp"]


def test_several_ends_are_refused() -> None:
    graph = dataclasses.replace(tiny.graph(), outputs=(7, 8))
    with pytest.raises(
        InputError, match="1 inputs and 2 outputs; the tflm engine runs models with"
    ):
        _generate(graph)


def test_ends_that_no_firmware_hands_out_are_refused() -> None:
    graph = tiny.graph()
    tensors = list(graph.tensors)
    tensors[8] = dataclasses.replace(tensors[8], dtype="float16")
    with pytest.raises(InputError, match=r'm\.tflite: tensor "scores" is float16; the tflm engine'):
        tflm.check(dataclasses.replace(graph, tensors=tuple(tensors)), "m.tflite")


def test_a_model_that_computes_nothing_is_refused() -> None:
    graph = dataclasses.replace(tiny.graph(), ops=(), outputs=(0,))
    with pytest.raises(InputError, match=r"m\.tflite: the model computes nothing"):
        tflm.check(graph, "m.tflite")


@pytest.mark.parametrize(
    ("weights", "refused"), [("int8", True), ("int4", True), ("float32", False)]
)
def test_integer_weights_under_floats_are_refused(weights: str, refused: bool) -> None:
    kind = np.float32 if weights == "float32" else np.int8
    tensors = (
        Tensor(0, "x", (1, 4), "float32"),
        Tensor(1, "w", (2, 4), weights, np.ones((2, 4), kind)),
        Tensor(2, "y", (1, 2), "float32"),
    )
    graph = Graph("main", tensors, (Op(0, "FULLY_CONNECTED", (0, 1), (2,)),), (0,), (2,))
    if not refused:
        assert tflm.check(graph, "m.tflite").calls
        return
    said = rf'm\.tflite: operator #0 FULLY_CONNECTED has {weights} weights "w" and computes in'
    with pytest.raises(InputError, match=said):
        tflm.check(graph, "m.tflite")
