"""Lowering: what comes out for a plain operation, and what is said of one that cannot run."""

import dataclasses

import numpy as np
import pytest

from edgeasr.codegen import coverage, extensions, macs
from edgeasr.codegen.call import Alias, Array, KernelCall, Struct
from edgeasr.codegen.lower import lower, supported
from edgeasr.errors import InputError
from edgeasr.graph import Graph, Op, Quantization, Tensor
from tests.vectors.kernels.cases import KINDS, cases
from tests.vectors.kernels.mutants import mutants


def _quantized(*scales: float, point: int = 0, axis: int = 0) -> Quantization:
    return Quantization(np.array(scales, np.float32), np.full(len(scales), point, np.int32), axis)


def _conv(**changes: object) -> Graph:
    """A 3x3 convolution of stride 2 over [1, 6, 8, 1], four channels; changes by tensor name."""
    weights = np.arange(36, dtype=np.int8).reshape(4, 3, 3, 1)
    tensors = [
        Tensor(0, "x", (1, 6, 8, 1), "int8", None, _quantized(0.5, point=-128)),
        Tensor(1, "w", (4, 3, 3, 1), "int8", weights, _quantized(0.1, 0.2, 0.3, 0.4)),
        Tensor(2, "b", (4,), "int32", np.zeros(4, np.int32)),
        Tensor(3, "y", (1, 3, 4, 4), "int8", None, _quantized(1.0, point=3)),
    ]
    options = {
        "padding": "SAME", "stride_w": 2, "stride_h": 2, "dilation_w_factor": 1,
        "dilation_h_factor": 1, "fused_activation_function": "NONE",
    }  # fmt: skip
    options |= changes.pop("options", {})
    for i, tensor in enumerate(tensors):
        tensors[i] = dataclasses.replace(tensor, **changes.get(tensor.name, {}))
    op = Op(0, "CONV_2D", (0, 1, 2), (3,), options)
    return Graph("main", tuple(tensors), (op,), (0,), (3,))


def _lowered(graph: Graph) -> KernelCall:
    made = lower(graph, graph.ops[0])
    assert isinstance(made, KernelCall)
    return made


def test_convolution_has_the_parameters_of_its_kernel() -> None:
    graph = _conv()
    call = lower(graph, graph.ops[0], extension=extensions.DSP)

    structs = {s.name: s for s in call.structs()}
    assert call.kernel == "ear_conv2d_columns_s8"
    assert "ear_conv2d_columns_s8.c" in call.sources and "ear_kernels.h" in call.sources
    assert structs["params"].fields["input_offset"] == 128
    assert structs["params"].fields["pad_h"] == 0
    assert structs["params"].fields["output_min"] == -128
    assert structs["scales"].fields["step"] == 1
    arrays = {a.name: a for a in call.arrays()}
    # 0.5 * 0.1 / 1.0 = 0.05 = 0.8 * 2^-4
    assert arrays["multipliers"].values[0] == pytest.approx(0.8 * 2**31, abs=64)
    assert arrays["shifts"].values.tolist() == [-4, -3, -2, -2]


def test_one_scale_for_all_channels_is_stored_once() -> None:
    call = _lowered(_conv(w={"quantization": _quantized(0.1)}))

    scales = next(s for s in call.structs() if s.name == "scales")
    assert scales.fields["step"] == 0
    assert isinstance(scales.fields["shifts"], Array)
    assert scales.fields["shifts"].values.tolist() == [-4]


def test_fused_activation_becomes_a_clamp() -> None:
    call = _lowered(_conv(options={"fused_activation_function": "RELU6"}))

    params = next(s for s in call.structs() if s.name == "params")
    assert (params.fields["output_min"], params.fields["output_max"]) == (3, 9)


_WRONG = {
    "float": ({"x": {"dtype": "float32"}},
              'operator #0 CONV_2D: tensor "x" is float32; supported: int8; quantize the model'),
    "weights are float": ({"w": {"dtype": "float32"}}, 'tensor "w" is float32; supported: int8'),
    "computed weights": ({"w": {"data": None}}, 'tensor "w" must be a constant'),
    "no scale": ({"x": {"quantization": None}}, 'tensor "x" has no quantization'),
    "zero scale": ({"x": {"quantization": _quantized(0.0)}}, "has scale 0; it must be finite"),
    "nan": ({"y": {"quantization": _quantized(float("nan"))}}, "has scale nan; it must be finite"),
    "zero point": ({"x": {"quantization": _quantized(0.5, point=200)}},
                   "has zero point 200; int8 allows -128 to 127"),
    "per channel input": ({"x": {"quantization": _quantized(0.1, 0.2)}}, "has 2 scales; it needs"),
    "axis": ({"w": {"quantization": _quantized(0.1, 0.2, 0.3, axis=1)}},
             "3 scales along axis 1; per-channel weights have 4 along axis 0"),
    "asymmetric": ({"w": {"quantization": _quantized(0.1, point=1)}}, "weights must be symmetric"),
    "bias length": ({"b": {"shape": (3,), "data": np.zeros(3, np.int32)}},
                    'tensor "b" has 3 elements for 4 output channels'),
    "bias type": ({"b": {"dtype": "int64"}}, 'tensor "b" is int64; supported: int32'),
    "output shape": ({"y": {"shape": (1, 3, 5, 4)}},
                     "has shape [1, 3, 5, 4]; the operator's inputs and options make it "
                     "[1, 3, 4, 4]"),
    "dynamic shape": ({"x": {"shape": (0, 6, 8, 1)}}, "sizes must be fixed"),
    "channels": ({"x": {"shape": (1, 6, 8, 3)}, "w": {"shape": (4, 3, 3, 2),
                  "data": np.zeros((4, 3, 3, 2), np.int8)}}, "does not divide 3 input channels"),
    "stride": ({"options": {"stride_h": 0}}, "option stride_h is 0; allowed: 1 to"),
    "padding": ({"options": {"padding": "FULL"}}, "option padding is FULL; allowed: SAME, VALID"),
    "activation": ({"options": {"fused_activation_function": "TANH"}}, "is TANH; allowed: NONE"),
    "too wide": ({"options": {"padding": "VALID", "dilation_w_factor": 9}},
                 "the filter reaches over 19 elements, the input has 8"),
    "huge factor": ({"y": {"quantization": _quantized(1e-30)}}, "it must be below 2^30"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", _WRONG)
def test_what_cannot_run_is_refused_by_a_sentence(wrong: str) -> None:
    changes, sentence = _WRONG[wrong]
    graph = _conv(**changes)

    with pytest.raises(InputError) as refused:
        lower(graph, graph.ops[0])

    assert sentence in str(refused.value)
    assert coverage.check(graph) == (str(refused.value),)


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_operations_are_refused_and_never_crash(kind: str) -> None:
    refused = 0  # kernels that only move elements do not mind their quantization
    for graph in mutants(kind, 60):
        try:
            lower(graph, graph.ops[0])
        except InputError as error:
            assert str(error).startswith(f"operator #0 {graph.ops[0].kind}: ")
            refused += 1
    assert refused > 8  # of 60; those on any type refuse the fewest


def test_coverage_names_each_unknown_kind_once() -> None:
    tensors = (Tensor(0, "x", (1, 4), "int8"), Tensor(1, "state", (1, 4), "int8"),
               Tensor(2, "y", (1, 4), "int8"))  # fmt: skip
    ops = (Op(0, "HASHTABLE", (0,), (1,)), Op(1, "HASHTABLE", (1,), (2,)), Op(2, "CALL", (), ()))

    problems = coverage.check(Graph("main", tensors, ops, (0,), (2,)))

    assert (
        problems[0] == 'operator #0 HASHTABLE and 1 more: not supported, at tensor "state" (int8)'
    )
    assert problems[1] == "operator #2 CALL: not supported"
    assert "CONV_2D" in problems[2] and len(problems) == 3


def test_operations_on_floats_share_a_sentence() -> None:
    """As in a float16 model, whose weights come from DEQUANTIZE."""
    tensors = (
        Tensor(0, "x", (1, 4), "float32"), Tensor(1, "stored", (4, 4), "float16"),
        Tensor(2, "w", (4, 4), "float32"), Tensor(3, "y", (1, 4), "float32"),
        Tensor(4, "z", (1, 4), "float32"), Tensor(5, "q", (1, 4), "int8"),
    )  # fmt: skip
    ops = (
        Op(0, "DEQUANTIZE", (1,), (2,)), Op(1, "FULLY_CONNECTED", (0, 2), (3,)),
        Op(2, "SOFTMAX", (3,), (4,), {"beta": 1.0}), Op(3, "TANH", (5,), (5,)),
    )  # fmt: skip

    problems = coverage.check(Graph("main", tensors, ops, (0,), (4,)))

    assert problems == (
        'operator #3 TANH: tensor "q" has no quantization; quantize the model first',
        "operator #1 FULLY_CONNECTED and 1 more compute on floats; quantize the model to int8 or "
        "int16 activations first",
    )
    assert (
        "operator #1 FULLY_CONNECTED: tensor"
        in coverage.check(Graph("main", tensors, ops[:2], (0,), (3,)))[1]
    )


def test_reshape_moves_nothing() -> None:
    tensors = (Tensor(0, "x", (1, 4), "int8"), Tensor(1, "y", (2, 2), "int8"))
    graph = Graph("main", tensors, (Op(0, "RESHAPE", (0,), (1,)),), (0,), (1,))

    assert lower(graph, graph.ops[0]) == Alias(0, 1)


def test_reshape_to_another_size_is_refused() -> None:
    tensors = (Tensor(0, "x", (1, 4), "int8"), Tensor(1, "y", (2, 3), "int8"))
    graph = Graph("main", tensors, (Op(0, "RESHAPE", (0,), (1,)),), (0,), (1,))

    with pytest.raises(InputError, match="differ in their elements"):
        lower(graph, graph.ops[0])


def test_reshape_of_a_constant_copies_it() -> None:
    data = np.arange(4, dtype=np.int8).reshape(1, 4)
    tensors = (Tensor(0, "x", (1, 4), "int8", data), Tensor(1, "y", (2, 2), "int8"))
    graph = Graph("main", tensors, (Op(0, "RESHAPE", (0,), (1,)),), (), (1,))

    call = lower(graph, graph.ops[0])

    assert isinstance(call, KernelCall) and call.kernel == "ear_copy_block"
    assert next(a for a in call.arrays() if a.name == "input").values.tolist() == [[0, 1, 2, 3]]


def test_macs_count_weights_per_output() -> None:
    graph = _conv()

    assert macs.macs(graph, graph.ops[0]) == 3 * 4 * 4 * 9


def test_macs_of_other_layers() -> None:
    for kind, per_output in (("depthwise", None), ("dense", None), ("softmax", 0)):
        case = next(cases(kind, 1))
        count = macs.macs(case.graph, case.op)
        outputs = case.graph.tensor(case.graph.outputs[0]).elements
        assert count == 0 if per_output == 0 else count % outputs == 0 and count > 0


def test_every_kernel_has_a_case() -> None:
    kinds = {next(cases(family, 1)).op.kind for family in KINDS}

    no_kernel = {"RESHAPE", "EXPAND_DIMS", "SQUEEZE"}
    of_variables = {"VAR_HANDLE", "CALL_ONCE", "READ_VARIABLE", "ASSIGN_VARIABLE"}  # programs.py
    assert set(supported()) - kinds == no_kernel | of_variables


def test_structs_have_names_of_their_own() -> None:
    for family in KINDS:
        for case in cases(family, 5):
            call = lower(case.graph, case.op)
            if isinstance(call, Alias):
                continue
            names = [p.name for p in (*call.arrays(), *call.structs())]
            assert len(names) == len(set(names)), (case.name, names)
            assert all(isinstance(s, Struct) for s in call.structs())
