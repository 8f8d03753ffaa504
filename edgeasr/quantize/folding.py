"""A trained Keras model becomes the same function without batch normalisation: what a device runs.

Folding is needed before weights meet a grid: on the device, the scale of a normalisation is part of
the convolution before it. Refused: a normalisation that follows no convolution or dense layer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeasr.backend import load_keras
from edgeasr.errors import InputError

if TYPE_CHECKING:
    import keras

# Passes over all pairs after which equalisation has long converged.
_EQUALIZATIONS = 20
_LEAST = 1e-8


def fold(model: keras.Model) -> keras.Model:
    """Return the model with each batch normalisation folded into the layer before it.

    With gain = gamma / sqrt(variance + epsilon): kernel' = kernel * gain (per output channel) and
    bias' = beta + (bias - mean) * gain (Jacob et al., "Quantization and training of neural networks
    for efficient integer-arithmetic-only inference", 2018, section 3.2). Dropout is left out. The
    names of the layers stay. Raises InputError for a normalisation that follows something else.
    """
    keras = load_keras()
    layers = keras.layers
    norms = {
        _folded_into(layer): layer
        for layer in model.layers
        if isinstance(layer, layers.BatchNormalization)
    }

    def clone(layer):
        config = layer.get_config()
        if layer.name in norms:
            config["use_bias"] = True
        return layer.__class__.from_config(config)

    def call(layer, *args, **kwargs):
        left_out = isinstance(layer, layers.BatchNormalization | layers.Dropout)
        return args[0] if left_out else layer(*args, **kwargs)

    folded = keras.models.clone_model(model, clone_function=clone, call_function=call)
    for layer in folded.layers:
        if layer.name in norms:
            weights = _fold_weights(model.get_layer(layer.name), norms[layer.name])
            layer.set_weights(weights)
        elif layer.weights:
            layer.set_weights(model.get_layer(layer.name).get_weights())
    return folded


def producer(tensor):
    """Return the layer whose call made a Keras tensor."""
    return tensor._keras_history.operation


def inputs(layer) -> list:
    """Return the layers that a layer of a functional model reads from, in order."""
    if len(layer._inbound_nodes) != 1:
        raise InputError(
            f'layer "{layer.name}": called {len(layer._inbound_nodes)} times; a layer that is '
            "shared cannot be quantized; give each call a layer of its own"
        )
    return [producer(tensor) for tensor in layer._inbound_nodes[0].input_tensors]


def weighted(layer) -> bool:
    """Whether a layer has weights that a quantizer chooses: convolution, depthwise, dense."""
    layers = load_keras().layers
    return isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D | layers.Dense)


def before_softmax(model: keras.Model):
    """Return the layer that makes a model's logits."""
    last = producer(model.output)
    return inputs(last)[0] if isinstance(last, load_keras().layers.Softmax) else last


def channel_axis(layer) -> int:
    """Return the axis of a kernel that counts output channels."""
    return 2 if isinstance(layer, load_keras().layers.DepthwiseConv2D) else -1


def _folded_into(norm) -> str:
    (source,) = inputs(norm)
    if not weighted(source) or source.activation.__name__ != "linear":
        raise InputError(
            f'layer "{norm.name}": batch normalisation after "{source.name}" '
            f"({type(source).__name__}); it folds only into a convolution or dense layer without "
            "activation right before it; put it there, or remove it"
        )
    return source.name


def _fold_weights(source, norm) -> list[np.ndarray]:
    kernel, *bias = source.get_weights()
    gain = 1 / np.sqrt(norm.moving_variance.numpy() + norm.epsilon)
    if norm.scale:
        gain = gain * norm.gamma.numpy()
    beta = norm.beta.numpy() if norm.center else 0.0
    moved = (bias[0] if bias else 0.0) - norm.moving_mean.numpy()
    depthwise = channel_axis(source) == 2
    # A depthwise kernel is [height, width, channels, multiplier], its outputs channel-major.
    kernel = kernel * (gain.reshape(kernel.shape[2:]) if depthwise else gain)
    return [kernel, beta + moved * gain]


def equalize(folded: keras.Model) -> list[tuple[str, str]]:
    """Even out, in place, the ranges of channels between adjacent layers; return the pairs.

    ReLU(a x) = a ReLU(x) for a > 0, so channel i of a layer may be divided by s_i when the next
    layer's weights for it are multiplied by it; s_i = sqrt(r1_i / r2_i) of both ranges makes them
    equal (Nagel et al., "Data-free quantization through weight equalization and bias correction",
    2019, section 4.1). Only chains that branch nowhere and pass nothing but ReLU are touched. It
    helps where one scale serves a whole tensor; per-channel scales gain little.
    """
    pairs = list(_pairs(folded))
    for _ in range(_EQUALIZATIONS):
        for first, second in pairs:
            _equalize(first, second)
    return [(first.name, second.name) for first, second in pairs]


def _pairs(folded: keras.Model):
    consumers: dict[str, list] = {}
    for layer in folded.layers:
        if layer._inbound_nodes and layer._inbound_nodes[0].input_tensors:
            for source in inputs(layer):
                consumers.setdefault(source.name, []).append(layer)
    for first in folded.layers:
        if not weighted(first) or first.activation.__name__ not in ("linear", "relu"):
            continue
        following = consumers.get(first.name, [])
        if len(following) == 1 and _is_plain_relu(following[0]):
            following = consumers.get(following[0].name, [])
        if len(following) == 1 and weighted(following[0]):
            yield first, following[0]


def _is_plain_relu(layer) -> bool:
    relu = load_keras().layers.ReLU
    return isinstance(layer, relu) and layer.max_value is None and not layer.negative_slope


def _equalize(first, second) -> None:
    made, bias = first.get_weights()
    read, *others = second.get_weights()
    first_range = _range(made, channel_axis(first))
    second_range = _range(read, 2 if len(read.shape) == 4 else 0)
    if len(first_range) != len(second_range):  # a depthwise layer with a multiplier
        return
    usable = (first_range > _LEAST) & (second_range > _LEAST)
    factor = np.where(usable, np.sqrt(first_range / np.maximum(second_range, _LEAST)), 1.0)
    factor = np.maximum(factor, _LEAST).astype(np.float32)
    shape = (-1, 1) if channel_axis(first) == 2 else (-1,)
    first.set_weights([made / factor.reshape(shape), bias / factor])
    second.set_weights([read * factor[:, None], *others])


def _range(kernel: np.ndarray, axis: int) -> np.ndarray:
    return np.abs(np.moveaxis(kernel, axis, 0)).reshape(kernel.shape[axis], -1).max(axis=1)
