"""What lowering refuses of recurrent layers, products and functions: a sentence for each."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from edgeasr.codegen.lower import lower
from edgeasr.errors import InputError
from edgeasr.graph import Graph, Op, Quantization, Tensor
from tests.vectors.kernels.cases import cases

Change = Callable[[Graph], Graph]


def _first(family: str) -> Graph:
    return next(cases(family, 1)).graph


def _operands(**changes: int) -> Change:
    """Give operands other tensors, by position: 3 is the fourth."""

    def change(graph: Graph) -> Graph:
        inputs = list(graph.ops[0].inputs)
        for position, tensor in changes.items():
            inputs[int(position[1:])] = tensor
        op = dataclasses.replace(graph.ops[0], inputs=tuple(inputs))
        return dataclasses.replace(graph, ops=(op,))

    return change


def _tensor(position: int, **changes: object) -> Change:
    """Change the tensor of an operand; -1 is the output."""

    def change(graph: Graph) -> Graph:
        op = graph.ops[0]
        index = op.outputs[0] if position == -1 else op.inputs[position]
        tensors = list(graph.tensors)
        tensors[index] = dataclasses.replace(tensors[index], **changes)
        return dataclasses.replace(graph, tensors=tuple(tensors))

    return change


def _options(**changes: object) -> Change:
    def change(graph: Graph) -> Graph:
        op = dataclasses.replace(graph.ops[0], options={**graph.ops[0].options, **changes})
        return dataclasses.replace(graph, ops=(op,))

    return change


def _quantized(*scales: float, point: int = 0) -> Quantization:
    return Quantization(np.array(scales, np.float32), np.full(len(scales), point, np.int32), 0)


def _twice(graph: Graph) -> Graph:
    """One variable for the hidden and the cell state."""
    return _operands(i18=graph.ops[0].inputs[19])(graph)


_REFUSED: dict[str, tuple[str, Change, str]] = {
    "no bias": ("svdf", _operands(i3=-1), "the bias is left out; TFLite-Micro needs it"),
    "rank": ("svdf", _options(rank=7), "option rank is 7; it must divide the"),
    "no state": ("svdf", _tensor(4, is_variable=False), "must be a variable tensor"),
    "state twice": ("lstm_s16", _twice, "nothing else may use it"),
    "activation": ("svdf", _options(fused_activation_function="TANH"), "is TANH; "),
    "time weights": ("svdf", _tensor(2, dtype="float32"), "is float32; supported: int16, int8"),
    "peephole": ("lstm", _operands(i9=1), "has a peephole (input 9)"),
    "projection": ("lstm", _operands(i16=1), "has a projection (input 16)"),
    "normalization": ("lstm", _operands(i23=1), "has layer normalization (input 23)"),
    "coupled gates": ("lstm", _operands(i1=-1), "input 1 is left out; it is needed"),
    "gate function": ("lstm", _options(fused_activation_function="RELU"), "is RELU; "),
    "per channel": ("lstm", _tensor(2, quantization=_quantized(0.1, 0.2)), "it needs one for all"),
    "weights' zero": ("lstm", _tensor(6, quantization=_quantized(0.1, point=3)),
                      "has zero point 3; it must be 0"),
    "cell scale": ("lstm", _tensor(19, quantization=_quantized(5.0)), "allowed: 2^-42 to 2"),
    "hidden type": ("lstm", _tensor(18, dtype="int16"), "is int16; supported: int8"),
    "padding": ("transpose_conv", _options(padding="FULL"), "option padding is FULL"),
    "deconv weights": ("transpose_conv", _tensor(1, data=None), "must be a constant"),
    "depth": ("batch_matmul", _tensor(1, shape=(999, 998), data=None), "do not fit for a product"),
    "matrix type": ("batch_matmul", _tensor(1, dtype="int16"), "is int16; supported: int8"),
    "alpha type": ("prelu_s16", _tensor(1, dtype="int16"), "is int16; supported: int8"),
    "log scale": ("log_softmax", _tensor(-1, quantization=_quantized(0.1, point=127)),
                  "they must be 0.0625 and 127"),
    "norm scale": ("l2_normalization", _tensor(-1, quantization=_quantized(0.1)),
                   "they must be 0.0078125 and 0"),
    "root of negatives": ("rsqrt", _tensor(0, quantization=_quantized(0.1)),
                          "it must be -128, so that no input is negative"),
    "swish scale": ("hard_swish", _tensor(-1, quantization=_quantized(1e-9)),
                    "the output's at least 1/128 of it"),
    "elu scale": ("elu", _tensor(-1, quantization=_quantized(1e-9)), "4,194,304 of the output's"),
}  # fmt: skip


@pytest.mark.parametrize("name", _REFUSED)
def test_what_cannot_run_is_refused_by_a_sentence(name: str) -> None:
    family, change, sentence = _REFUSED[name]
    graph = change(_first(family))

    with pytest.raises(InputError) as refused:
        lower(graph, graph.ops[0])

    assert str(refused.value).startswith(f"operator #0 {graph.ops[0].kind}: ")
    assert sentence in str(refused.value)


def test_products_that_overflow_32_bits_are_refused() -> None:
    depth = 1 << 18
    tensors = (
        Tensor(0, "x", (1, depth), "int8", None, _quantized(0.1)),
        Tensor(1, "w", (1, depth), "int8", np.full((1, depth), 127, np.int8), _quantized(0.1)),
        Tensor(2, "y", (1, 1), "int8", None, _quantized(0.1)),
    )
    options = {"fused_activation_function": "NONE", "weights_format": "DEFAULT"}
    graph = Graph("main", tensors, (Op(0, "FULLY_CONNECTED", (0, 1), (2,), options),), (0,), (2,))

    with pytest.raises(InputError, match="its sums can reach 4,261,412,864; the accumulator"):
        lower(graph, graph.ops[0])
