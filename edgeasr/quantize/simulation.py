"""The training graph: a folded Keras model that computes, in floats, what the integer model will.

Weights lie on their grids; activations are rounded to int8 wherever the device rounds them.
Gradients pass each rounding unchanged within its range (straight-through; Bengio et al.,
"Estimating or propagating gradients through stochastic neurons", 2013). `convert` hands the TFLite
converter the same scales and the very levels, and checks that it stored them.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from edgeasr import graph, process
from edgeasr.backend import load_keras
from edgeasr.errors import CheckError, InputError
from edgeasr.quantize import folding
from edgeasr.quantize.compact import compact
from edgeasr.quantize.layer_weights import LayerWeights
from edgeasr.quantize.ptq import refuse_floats

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

_BATCH = 256
_LEAST_RANGE = 1e-4
_WITH_WEIGHTS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


class TrainingGraph:
    """A folded model with every weight and activation as the device will have it.

    input_low: the real value of feature 0. The input's range begins there, in a whole number of
    steps below 0, so that the device's int8 features are rounded as here. weights: of each layer
    that has some, by name, in order; free until they get a grid. points: names of the layers whose
    output is rounded, to the ranges of the last `calibrate`.
    """

    def __init__(self, folded: keras.Model, input_low: float = 0.0) -> None:
        import tensorflow as tf

        self.model = folded
        self._input_low = min(input_low, 0.0)
        self.weights = {w.name: LayerWeights(w) for w in folded.layers if folding.weighted(w)}
        if not self.weights:
            raise InputError("the model has no convolution or dense layer; nothing to quantize")
        self.points = _points(folded)
        self._end = folding.before_softmax(folded)
        start = np.tile(np.float32([-1, 1]), (len(self.points), 1))
        self._ranges = tf.Variable(start, trainable=False)
        self.recompile()

    def recompile(self) -> None:
        """Forget what was compiled: needed after a layer got another grid."""
        import tensorflow as tf

        def forward(x):
            return self._run(x)[0]

        def observe(x):
            return self._run(x, rounding=False)[1]

        plain = {"autograph": False, "reduce_retracing": True}
        self._forward = tf.function(forward, **plain)
        self._observe = tf.function(observe, **plain)

    def trainable_variables(self) -> list[tf.Variable]:
        return [v for weights in self.weights.values() for v in weights.trainable_variables()]

    def calibrate(self, windows: np.ndarray) -> None:
        """Set the range of each activation to its least and greatest value on real windows.

        windows: float32 [n, frames, features]. Weights are as they are now, on their grids.
        Raises CheckError when an activation is not finite.
        """
        seen = np.stack([np.asarray(self._observe(part)) for part in _parts(windows)])
        low = np.minimum(seen[..., 0].min(axis=0), 0)
        high = np.maximum(seen[..., 1].max(axis=0), 0)
        if not np.isfinite([low, high]).all():
            raise CheckError("an activation is not finite; train at a lower rate")
        high = np.maximum(high, low + _LEAST_RANGE)
        low[0], high[0] = _input_range(self._input_low, low[0], high[0])
        self._ranges.assign(np.stack([low, high], axis=1))

    def ranges(self) -> np.ndarray:
        """Return least and greatest value of each activation, float32 [points, 2]."""
        return self._ranges.numpy()

    def set_ranges(self, ranges: np.ndarray) -> None:
        self._ranges.assign(ranges)

    def __call__(self, pictures: tf.Tensor) -> tf.Tensor:
        """Return logits [n, labels] for real pictures [n, frames, features, 1]."""
        return self._run(pictures)[0]

    def logits(self, windows: np.ndarray) -> np.ndarray:
        """Return logits, float32 [n, labels], for real windows [n, frames, features]."""
        return np.concatenate([np.asarray(self._forward(part)) for part in _parts(windows)])

    def convert(self) -> bytes:
        """Return the graph as a full-integer `.tflite` that holds these very levels.

        Raises CheckError when the converter left a float tensor or stored other levels.
        """
        content = compact(self._converted())
        made = graph.parse(content)
        refuse_floats(made)
        self._check(made)
        return content

    def _run(
        self, x: tf.Tensor, *, rounding: bool = True, fixed: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Return logits, and least and greatest value of each activation [points, 2]."""
        import tensorflow as tf

        values: dict[str, tuple[tf.Tensor, object]] = {}
        seen = []
        for layer in self.model.layers[: self.model.layers.index(self._end) + 1]:
            y, scale = self._value(layer, values, x, fixed)
            if layer.name in self.points:
                seen.append(tf.stack([tf.reduce_min(y), tf.reduce_max(y)]))
                if rounding:
                    y, scale = self._round(layer.name, y, fixed=fixed)
            values[layer.name] = (y, scale)
        return values[self._end.name][0], tf.stack(seen)

    def _value(self, layer, values: dict, x: tf.Tensor, fixed: bool) -> tuple[tf.Tensor, object]:
        if isinstance(layer, load_keras().layers.InputLayer):
            return x, 1.0
        given = [values[source.name] for source in folding.inputs(layer)]
        scale = given[0][1]
        weights = self.weights.get(layer.name)
        if weights is None:
            tensors = [value for value, _ in given]
            return layer(tensors if len(tensors) > 1 else tensors[0], training=False), scale
        kernel, bias = (weights.fixed(), weights.bias) if fixed else weights.real(scale)
        return weights.apply(given[0][0], kernel, bias), scale

    def _round(self, name: str, y: tf.Tensor, *, fixed: bool) -> tuple[tf.Tensor, tf.Tensor]:
        import tensorflow as tf

        ranges = self._ranges
        if fixed:
            with tf.init_scope():  # outside the function being traced, where values are known
                ranges = self._ranges.numpy()
        low, high = tf.unstack(ranges[self.points.index(name)])
        return tf.quantization.fake_quant_with_min_max_vars(y, low, high), (high - low) / 255

    def _converted(self) -> bytes:
        import tensorflow as tf

        shape = (1, *self.model.input.shape[1:])

        def scores(features):
            return tf.nn.softmax(self._run(features, fixed=True)[0])

        call = tf.function(scores, autograph=False)
        concrete = call.get_concrete_function(tf.TensorSpec(shape, tf.float32, name="features"))
        converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], self.model)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.inference_input_type = tf.int8
        converter.inference_output_type = tf.int8
        with process.quiet(), warnings.catch_warnings():
            # It misses the statistics of a calibration, which ranges in the graph make needless.
            warnings.simplefilter("ignore", UserWarning)
            return converter.convert()

    def _check(self, converted: graph.Graph) -> None:
        stored = [
            converted.tensor(op.inputs[1]) for op in converted.ops if op.kind in _WITH_WEIGHTS
        ]
        if len(stored) != len(self.weights):
            raise CheckError(
                f"convert: {len(self.weights)} layers with weights became {len(stored)} "
                "operations; use layers that TFLite has operations for"
            )
        for (name, weights), tensor in zip(self.weights.items(), stored, strict=True):
            levels, scales = weights.integers()
            same = tensor.data is not None and np.array_equal(
                weights.as_stored(levels), tensor.data.reshape(weights.as_stored(levels).shape)
            )
            if not same or not np.allclose(tensor.quantization.scales, scales, rtol=1e-6):
                raise CheckError(
                    f'convert: layer "{name}" got other weights than training saw; this is a bug '
                    "of edgeasr or of this version of TensorFlow; please report it"
                )


def _input_range(wanted: float, low: float, high: float) -> tuple[float, float]:
    """Return a range that begins at `wanted`, a whole number of its 255 steps below 0."""
    low = min(wanted, low)
    steps = math.floor(-low * 255 / (high - low))
    return (low, low + 255 * -low / steps) if steps else (low, high)


def _points(model: keras.Model) -> list[str]:
    """Return the layers after which a device rounds to a scale of its own: all but those that a
    ReLU is fused into, that move values or pool them on the scale they have, and the softmax."""
    layers = load_keras().layers
    moves = (
        layers.Reshape | layers.Flatten | layers.Dropout | layers.Softmax | layers.ZeroPadding2D
        | layers.MaxPooling2D | layers.AveragePooling2D | layers.Cropping2D | layers.Permute
    )  # fmt: skip
    fused = {
        folding.inputs(layer)[0].name
        for layer in model.layers
        if isinstance(layer, layers.ReLU) or _activates(layer)
    }
    return [
        layer.name
        for layer in model.layers
        if layer.name not in fused and not isinstance(layer, moves)
    ]


def _activates(layer) -> bool:
    """Whether a layer is a ReLU by another name."""
    layers = load_keras().layers
    return isinstance(layer, layers.Activation) and layer.activation.__name__ in ("relu", "relu6")


def _parts(windows: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(windows), _BATCH):
        yield windows[start : start + _BATCH, ..., None]
