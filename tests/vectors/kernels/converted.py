"""Small models of random weights, made into integers by TensorFlow's own converter."""

import tempfile
from collections.abc import Callable, Mapping

import numpy as np

from edgeasr import process

_SEED = 4
_STEPS, _FEATURES, _UNITS, _CLASSES = 6, 5, 9, 4


def convert(name: str, dtype: str) -> bytes:
    """Return the `.tflite` of a model of MODELS with inputs, outputs and activations of `dtype`."""
    import tensorflow as tf

    function = MODELS[name](np.random.default_rng(_SEED))
    signature = tf.TensorSpec((1, _STEPS, _FEATURES), tf.float32)
    module = tf.Module()
    module.model = tf.function(function, autograph=False)
    concrete = module.model.get_concrete_function(signature)
    with tempfile.TemporaryDirectory() as folder, process.quiet():
        tf.saved_model.save(module, folder, signatures=concrete)
        return _integers(tf.lite.TFLiteConverter.from_saved_model(folder), dtype)


def _integers(converter: object, dtype: str) -> bytes:
    import tensorflow as tf

    sets = tf.lite.OpsSet
    wide = sets.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
    rng = np.random.default_rng(_SEED)
    samples = rng.normal(0, 1, (20, 1, _STEPS, _FEATURES)).astype(np.float32)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([sample] for sample in samples)
    converter.target_spec.supported_ops = [wide if dtype == "int16" else sets.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.dtypes.as_dtype(dtype)
    return converter.convert()


def _weights(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(0, 0.5, shape).astype(np.float32)


def _classes(rng: np.random.Generator) -> Callable:
    import tensorflow as tf

    dense = _weights(rng, _UNITS, _CLASSES)
    return lambda x: tf.nn.softmax(x @ dense)


def _lstm(rng: np.random.Generator) -> Callable:
    """A function named as Keras names its LSTM: the converter makes one operation of it."""
    import tensorflow as tf

    kernel, recurrent = _weights(rng, _FEATURES, 4 * _UNITS), _weights(rng, _UNITS, 4 * _UNITS)
    bias, classes = _weights(rng, 4 * _UNITS), _classes(rng)
    attributes = {
        "api_implements": "lstm_test", "api_preferred_device": "CPU", "time_major": False,
        "go_backwards": False,
    }  # fmt: skip

    def standard_lstm(x, hidden, cell, kernel, recurrent, bias):
        outputs = []
        for step in range(_STEPS):
            gates = x[:, step] @ kernel + hidden @ recurrent + bias
            i, f, g, o = tf.split(gates, 4, axis=1)
            cell = tf.sigmoid(f) * cell + tf.sigmoid(i) * tf.tanh(g)
            hidden = tf.sigmoid(o) * tf.tanh(cell)
            outputs.append(hidden)
        return hidden, tf.stack(outputs, axis=1), hidden, cell, tf.constant(1.0)

    layer = tf.function(standard_lstm, autograph=False, experimental_attributes=attributes)
    zeros = tf.zeros((1, _UNITS))

    def model(x):
        outputs = layer(x, zeros, zeros, *map(tf.constant, (kernel, recurrent, bias)))[1]
        return classes(outputs[:, -1])

    return model


def _gru(rng: np.random.Generator) -> Callable:
    """Unrolled, as Keras has it."""
    import tensorflow as tf

    kernel, recurrent = _weights(rng, _FEATURES, 3 * _UNITS), _weights(rng, _UNITS, 3 * _UNITS)
    bias, classes = _weights(rng, 3 * _UNITS), _classes(rng)

    def model(x):
        hidden = tf.zeros((1, _UNITS))
        for step in range(_STEPS):
            update, reset, new = tf.split(x[:, step] @ kernel + bias, 3, axis=1)
            update_more, reset_more, new_more = tf.split(hidden @ recurrent, 3, axis=1)
            update = tf.sigmoid(update + update_more)
            new = tf.tanh(new + tf.sigmoid(reset + reset_more) * new_more)
            hidden = update * hidden + (1 - update) * new
        return classes(hidden)

    return model


def _attention(rng: np.random.Generator) -> Callable:
    import tensorflow as tf

    query, key, value = (_weights(rng, _FEATURES, _UNITS) for _ in range(3))
    classes = _classes(rng)

    def model(x):
        scores = tf.matmul(x @ query, x @ key, transpose_b=True) / 3.0
        return classes(tf.reduce_mean(tf.matmul(tf.nn.softmax(scores), x @ value), axis=1))

    return model


def _decoder(rng: np.random.Generator) -> Callable:
    import tensorflow as tf

    narrow, wide = _weights(rng, 3, 1, _FEATURES, _UNITS), _weights(rng, 4, 1, 7, _UNITS)
    slopes = np.abs(_weights(rng, 1, 1, _UNITS))

    def model(x):
        image = tf.nn.conv2d(x[:, :, tf.newaxis], narrow, (2, 1), "SAME")
        image = tf.maximum(image, slopes * image)
        return tf.nn.conv2d_transpose(image, wide, (1, _STEPS, 1, 7), (2, 1), "SAME")

    return model


MODELS: Mapping[str, Callable[[np.random.Generator], Callable]] = {
    "lstm": _lstm,
    "gru": _gru,
    "attention": _attention,
    "decoder": _decoder,
}
