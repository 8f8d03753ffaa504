"""A network of ONNX operations becomes a Keras model of layers that edgeasr quantizes.

The model's input is a window [frames, features, 1]; its output, one score for each label.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from edgeasr.backend import load_keras
from edgeasr.errors import EdgeasrError, InputError
from edgeasr.importing import elementwise, pooling, shapes, weights
from edgeasr.importing.call import Call
from edgeasr.importing.layout import Value, arrange
from edgeasr.importing.network import Network, Node, fold

if TYPE_CHECKING:
    import keras

_LARGEST = 1 << 26
_HANDLERS: Mapping[str, Callable[[Call], Value | Sequence[Value]]] = {
    "Add": elementwise.arithmetic,
    "AveragePool": pooling.pool,
    "BatchNormalization": weights.batch_normalization,
    "Clip": elementwise.clip,
    "Concat": shapes.concat,
    "Conv": weights.conv,
    "Div": elementwise.arithmetic,
    "Dropout": shapes.same,
    "Flatten": shapes.flatten,
    "Gather": shapes.gather,
    "Gemm": weights.gemm,
    "GlobalAveragePool": pooling.pool_all,
    "GlobalMaxPool": pooling.pool_all,
    "HardSigmoid": elementwise.hard_sigmoid,
    "HardSwish": elementwise.activation,
    "Identity": shapes.same,
    "LeakyRelu": elementwise.leaky_relu,
    "MatMul": weights.matmul,
    "MaxPool": pooling.pool,
    "Mul": elementwise.arithmetic,
    "Pad": shapes.pad,
    "ReduceMax": pooling.reduce,
    "ReduceMean": pooling.reduce,
    "ReduceSum": elementwise.total,
    "Relu": elementwise.relu,
    "Reshape": shapes.reshape,
    "Sigmoid": elementwise.activation,
    "Slice": shapes.slice_,
    "Softmax": weights.softmax,
    "Split": shapes.split,
    "Squeeze": shapes.squeeze,
    "Sub": elementwise.arithmetic,
    "Tanh": elementwise.activation,
    "Transpose": shapes.transposed,
    "Unsqueeze": shapes.unsqueeze,
}

_RECURRENT = ("GRU", "LSTM", "RNN", "Scan", "Loop")
_MOVES = frozenset("Dropout Flatten Identity Reshape Squeeze Transpose Unsqueeze".split())


def supported() -> tuple[str, ...]:
    """Return the ONNX operations that can be imported, sorted."""
    return tuple(sorted(_HANDLERS))


@dataclass(frozen=True, eq=False)
class Built:
    """model: window to scores. original: window to what the original gives, the same but for its
    end. swapped: whether the original has features before frames. end: what was changed there, ""
    for nothing."""

    model: keras.Model
    original: keras.Model
    input_shape: tuple[int, ...]
    swapped: bool
    end: str

    def windows(self, x: np.ndarray) -> np.ndarray:
        """Return inputs of the original, [n, *input_shape], as windows [n, frames, features, 1]."""
        frames, features = self.model.input.shape[1:3]
        if self.swapped:
            return x.reshape(len(x), features, frames).transpose(0, 2, 1)[..., None]
        return x.reshape(len(x), frames, features, 1)


def build(
    network: Network, window: tuple[int, int] | None = None, *, softmax: bool = True
) -> Built:
    """Return the network as a Keras model.

    window: frames and features, where they are known: they tell the order of the input's axes,
    and where both are equal, frames are taken to come first. softmax: add one where the original
    ends without, since a decision rule is about posteriors. Raises InputError, which names the
    operation, for what cannot be imported.
    """
    keras = load_keras()
    start, swapped = _start(network, window)
    end = _end(network)
    values = {network.input: start}
    network = replace(network, nodes=_with_biases(network))
    for node in network.nodes:
        if node.outputs and not fold(network, node):
            values |= zip(node.outputs, _convert(Call(network, node, values)), strict=False)
    if network.output not in values:
        raise InputError(f"{network.where}: its output does not depend on its input")
    made = _scores(network, values[network.output])
    if end in ("Softmax", "Sigmoid") or not softmax:
        whole = keras.Model(start.tensor, made, name="imported")
        return Built(whole, whole, network.input_shape, swapped, "")
    scores = keras.layers.Softmax(name="scores")(made)
    model, told = keras.Model(start.tensor, scores, name="imported"), "a softmax was added"
    if end == "LogSoftmax":
        made, told = keras.layers.Activation("log_softmax")(made), "its logarithm was left out"
    return Built(model, keras.Model(start.tensor, made), network.input_shape, swapped, told)


def _convert(call: Call) -> Sequence[Value]:
    """Return what an operation makes; of most, only the first output can be had."""
    handler = _HANDLERS.get(call.node.kind)
    if call.node.kind in _RECURRENT:
        raise call.fail(
            "recurrent layers cannot be imported: the TFLite converter makes loops of them, which "
            "no engine runs; bring such a model as an int8 .tflite, which 'edgeasr export' takes"
        )
    if handler is None:
        raise call.fail(f"cannot be imported; those that can are {', '.join(supported())}")
    try:
        found = handler(call)
    except EdgeasrError:
        raise
    except Exception as error:  # of Keras, for shapes that do not fit: no crash, but a sentence
        told = str(error).strip().splitlines()
        raise call.fail(f"Keras makes no layer of it ({told[0] if told else error!r})") from None
    made = (found,) if isinstance(found, Value) else found
    for value in made:
        if math.prod(value.sizes) > _LARGEST:
            raise call.fail(f"its output of {math.prod(value.sizes):,} values is too large")
    return made


def _start(network: Network, window: tuple[int, int] | None) -> tuple[Value, bool]:
    """Return the model's input, and whether its features come before its frames."""
    shape = network.input_shape
    larger = [axis for axis in range(1, len(shape)) if shape[axis] > 1]
    sizes = [shape[axis] for axis in larger]
    if window is None:
        if len(sizes) > 2:
            raise InputError(
                f"{network.where}: input of shape {list(shape)}; frames and features alone may be "
                "larger than 1"
            )
        window = tuple([1] * (2 - len(sizes)) + sizes)
    frames, features = window
    flat, wanted = sizes == [frames * features], [s for s in window if s > 1]
    swapped = not flat and sizes != wanted and sizes == wanted[::-1]
    if not flat and not swapped and sizes != wanted:
        raise InputError(
            f"{network.where}: input of shape {list(shape)}; the facts give {frames} frames of "
            f"{features} features; give those that the model was trained on"
        )
    tensor = load_keras().Input((frames, features, 1), name="features")
    if flat:
        held = {larger[0]: (1, 2)} if larger else {}
    else:
        dims = [dim for dim, size in ((1, frames), (2, features)) if size > 1]
        held = {a: (d,) for a, d in zip(larger, dims[::-1] if swapped else dims, strict=True)}
    axes = ((0,), *(held.get(axis, ()) for axis in range(1, len(shape))))
    return Value(tensor, axes), swapped


def _scores(network: Network, value: Value):
    larger = [axis for axis in range(1, len(value.axes)) if value.size(axis) > 1]
    if not value.axes or value.axes[0] != (0,) or len(larger) != 1:
        raise InputError(
            f"{network.where}: output of shape {list(value.shape)}; one row of scores, [n, labels] "
            "with 2 labels or more, is needed"
        )
    return arrange(value, (0, larger[0]))


def _end(network: Network) -> str:
    """Return the kind of the last operation that computes; a LogSoftmax there is taken out."""
    by_output = {output: place for place, n in enumerate(network.nodes) for output in n.outputs}
    name = network.output
    while name in by_output:
        node = network.nodes[by_output[name]]
        if node.kind == "LogSoftmax":
            network.nodes[by_output[name]] = replace(node, kind="Identity")
        if node.kind not in _MOVES or not node.inputs:
            return node.kind
        name = node.inputs[0]
    return ""


def _with_biases(network: Network) -> Sequence[Node]:
    """Return the operations with each Add of a constant after a MatMul as the bias of that."""
    by_output = {output: node for node in network.nodes for output in node.outputs}
    found = list(network.nodes)
    for node in network.nodes:
        if node.kind != "Add" or len(node.inputs) != 2:
            continue
        for place in (0, 1):
            product, bias = by_output.get(node.inputs[place]), node.inputs[1 - place]
            is_bias = bias in network.constants and network.constants[bias].ndim == 1
            if product and product.kind == "MatMul" and is_bias:
                if network.uses(product.outputs[0]) != 1 or len(product.inputs) != 2:
                    continue
                merged = replace(product, inputs=(*product.inputs, bias), outputs=node.outputs)
                found[found.index(product)] = merged
                found.remove(node)
    return found
