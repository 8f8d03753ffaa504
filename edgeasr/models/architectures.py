"""Architectures: a window of features becomes one score per label.

Every model takes real features [batch, frames, features, 1], about zero mean and unit variance, and
ends in the layers `embedding` (pooled), `logits` and `scores` (softmax). Convolutions have no bias;
batch normalisation follows each and folds into it at conversion.

ds_cnn_s, ds_cnn_m, ds_cnn_l: depthwise separable network of Zhang et al., "Hello Edge" (2017), with
  its widths and depths; the first stride over features grows with their number (the paper has 10).
ds_resnet: the zoo's. Separable residual blocks, narrow while the picture is large; then frequency
  is folded into channels and one block with a long kernel looks along time alone (as Choi et al.,
  "Temporal convolution for real-time keyword spotting on mobile devices", 2019).
ds_stream: as ds_resnet, without padding in time: each row depends on frames alone, so that a stream
  can keep it from one window to the next (codegen.incremental). It makes a row each four frames.
cnn_tiny: three plain convolutions, the baseline.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from edgeasr.backend import load_keras
from edgeasr.errors import InputError, alternatives

if TYPE_CHECKING:
    import keras

# Share of the old mean and variance that batch normalisation keeps: short trainings need it low.
_MOMENTUM = 0.97
_DROPOUT = 0.1


def build(
    name: str, frames: int, features: int, labels: int, *, batch_size: int | None = None
) -> keras.Model:
    """Return an untrained model of a window [frames, features] and `labels` scores.

    Raises InputError for a name that is not one of NAMES, or a window too small for its strides.
    """
    if name not in _ARCHITECTURES:
        raise InputError(f'model "{name}" is not known; {alternatives(name, _ARCHITECTURES)}')
    if frames < 8 or features < 8 or labels < 2:
        raise InputError(
            f"model {name}: a window of {frames} x {features} and {labels} labels; at least 8 x 8 "
            "and 2 labels are needed"
        )
    keras = load_keras()
    window = keras.Input((frames, features, 1), batch_size=batch_size, name="features")
    pooled = _ARCHITECTURES[name](window)
    pooled = keras.layers.GlobalAveragePooling2D(name="embedding")(pooled)
    kept = keras.layers.Dropout(_DROPOUT)(pooled)
    logits = keras.layers.Dense(labels, name="logits")(kept)
    return keras.Model(window, keras.layers.Softmax(name="scores")(logits), name=name)


def macs(model: keras.Model) -> int:
    """Return the multiply-accumulates of one inference: convolutions and dense layers."""
    keras = load_keras()
    total = 0
    for layer in model.layers:
        if isinstance(layer, keras.layers.DepthwiseConv2D):
            total += _area(layer.output.shape) * layer.kernel.shape[-2] * _area(layer.kernel_size)
        elif isinstance(layer, keras.layers.Conv2D):
            total += _area(layer.output.shape) * int(layer.kernel.numpy().size)
        elif isinstance(layer, keras.layers.Dense):
            total += int(layer.kernel.numpy().size)
    return total


def _area(shape: tuple[int, ...]) -> int:
    """Return height x width of a kernel size, or of a tensor's shape."""
    height, width = shape if len(shape) == 2 else shape[1:3]
    return height * width


def _conv(x, filters: int, size, strides=1):
    from keras import layers

    x = layers.Conv2D(filters, size, strides=strides, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=_MOMENTUM)(x))


def _separable(x, filters: int, size=(3, 3), strides=1, *, residual: bool = False):
    """Depthwise then pointwise convolution; residual adds the input before the last ReLU."""
    from keras import layers

    y = layers.DepthwiseConv2D(size, strides=strides, padding="same", use_bias=False)(x)
    y = layers.ReLU()(layers.BatchNormalization(momentum=_MOMENTUM)(y))
    y = layers.Conv2D(filters, 1, use_bias=False)(y)
    y = layers.BatchNormalization(momentum=_MOMENTUM)(y)
    return layers.ReLU()(layers.Add()([x, y]) if residual else y)


def _ds_cnn(filters: int, blocks: int, first: tuple[int, int], second: int) -> Callable:
    def body(window):
        narrow = max(1, round(window.shape[2] / 10))
        x = _conv(window, filters, (10, 4 * narrow), (first[0], first[1] * narrow))
        for block in range(blocks):
            x = _separable(x, filters, strides=second if block == 0 else 1)
        return x

    return body


def _ds_resnet(window):
    from keras import layers

    x = _conv(window, 16, 5, 2)
    x = _separable(x, 24)
    x = _separable(x, 40, strides=2)
    x = _separable(x, 40, residual=True)
    x = _separable(x, 64, strides=(1, 2))
    x = _separable(x, 64, (5, 3), residual=True)
    x = _separable(x, 64, (5, 3), residual=True)
    # What is left of the frequency axis becomes one: from here on there is only time.
    x = layers.DepthwiseConv2D((1, x.shape[2]), use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization(momentum=_MOMENTUM)(x))
    x = _conv(x, 88, 1)
    return _separable(x, 88, (9, 1), residual=True)


def _in_time(x, size, strides=(1, 1), filters: int = 0):
    """Convolution, depthwise without filters, that pads the features alone, never the time."""
    from keras import layers

    taps, width = min(size[0], x.shape[1]), x.shape[2]
    columns = -(-width // strides[1])
    padding = max((columns - 1) * strides[1] + size[1] - width, 0)
    if padding:
        x = layers.ZeroPadding2D(((0, 0), (padding // 2, padding - padding // 2)))(x)
    taken = {"strides": strides, "use_bias": False}
    if filters:
        x = layers.Conv2D(filters, (taps, size[1]), **taken)(x)
    else:
        x = layers.DepthwiseConv2D((taps, size[1]), **taken)(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=_MOMENTUM)(x))


def _ds_stream(window):
    from keras import layers

    x = _in_time(window, (5, 5), (2, 2), 16)
    for filters, taps, strides in (
        (24, 3, (1, 1)), (40, 3, (2, 2)), (40, 3, (1, 1)), (64, 3, (1, 1)), (64, 3, (1, 1)),
    ):  # fmt: skip
        x = _conv(_in_time(x, (taps, 3), strides), filters, 1)
    x = layers.DepthwiseConv2D((1, x.shape[2]), use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization(momentum=_MOMENTUM)(x))
    x = _conv(x, 88, 1)
    return _conv(_in_time(x, (3, 1)), 88, 1)


def _cnn_tiny(window):
    x = _conv(window, 16, 3, 2)
    x = _conv(x, 24, 3, 2)
    return _conv(x, 32, 3, 2)


_ARCHITECTURES: Mapping[str, Callable] = {
    "cnn_tiny": _cnn_tiny,
    "ds_resnet": _ds_resnet,
    "ds_stream": _ds_stream,
    "ds_cnn_s": _ds_cnn(64, 4, (2, 2), 1),
    "ds_cnn_m": _ds_cnn(172, 4, (2, 1), 2),
    "ds_cnn_l": _ds_cnn(276, 5, (2, 1), 2),
}
NAMES = tuple(_ARCHITECTURES)
# Of those that a stream can compute incrementally: frames from a row of the last layer to the next.
# The window must move by a multiple of them.
FRAMES_A_ROW: Mapping[str, int] = {"ds_stream": 4}
