"""Post-training quantization: a float Keras model and windows to calibrate it become int8 TFLite.

Refused: a model of which an operation stays in floating point, since no device would run it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeasr import graph, process
from edgeasr.errors import CheckError, InputError, ToolError
from edgeasr.graph import Graph
from edgeasr.quantize.compact import compact

if TYPE_CHECKING:
    import keras

# Fewer windows leave the range of activations to chance.
ENOUGH_WINDOWS = 100
_FLOATS = frozenset({"float16", "float32", "float64"})


def quantize(model: keras.Model, calibration: np.ndarray) -> bytes:
    """Return the model as a `.tflite` with int8 input, output, weights and activations.

    calibration: float32 [n, frames, features], real windows as in training; they fix the range of
    every activation. Weights are quantized per output channel (dense layers too where the converter
    does). Raises InputError for windows of another shape or not finite, CheckError when a float
    operation remains, ToolError without TensorFlow.
    """
    shape = tuple(model.input.shape[1:])
    if calibration.ndim != 3 or calibration.shape[1:] != shape[:2] or not len(calibration):
        raise InputError(
            f"calibration: windows of shape {list(calibration.shape)}; "
            f"[n, {shape[0]}, {shape[1]}] with n of 1 or more is needed"
        )
    if not np.isfinite(calibration).all():
        raise InputError(
            "calibration: a feature is not a finite number; compute the features again"
        )
    content = compact(_convert(model, calibration.astype(np.float32)))
    _refuse_floats(graph.parse(content))
    return content


def calibration_problems(calibration: np.ndarray) -> list[str]:
    """Return a sentence for each reason to doubt the windows [n, frames, features]."""
    problems = []
    if len(calibration) < ENOUGH_WINDOWS:
        problems.append(
            f"calibration: {len(calibration)} windows; at least {ENOUGH_WINDOWS} are advised, or "
            "the ranges of activations are left to chance; give more recordings"
        )
    if len(calibration) and float(np.ptp(calibration)) == 0:
        problems.append(
            f"calibration: all values are {calibration.flat[0]:g}, as of silence; every activation "
            "would be cut to that; give recordings of speech"
        )
    return problems


def _convert(model: keras.Model, calibration: np.ndarray) -> bytes:
    try:
        with process.quiet():
            import keras
            import tensorflow as tf
    except ImportError as error:
        raise ToolError(
            f"{error.name}: not installed; quantizing needs TensorFlow; "
            "install it with: pip install 'edgeasr[train]'"
        ) from None
    # A batch size of 1, or the file gets operations that work out its shape at run time.
    window = keras.Input(batch_shape=(1, *model.input.shape[1:]), name="features")
    single = keras.models.clone_model(model, input_tensors=window)
    single.set_weights(model.get_weights())
    call = tf.function(lambda features: single(features, training=False))
    concrete = call.get_concrete_function(tf.TensorSpec(window.shape, tf.float32, name="features"))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([row[None, ..., None]] for row in calibration)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    with process.quiet():
        return converter.convert()


def _refuse_floats(quantized: Graph) -> None:
    for op in quantized.ops:
        for index in (*op.inputs, *op.outputs):
            if index >= 0 and quantized.tensor(index).dtype in _FLOATS:
                tensor = quantized.tensor(index)
                raise CheckError(
                    f'quantize: operation {op.kind} #{op.index} has tensor "{tensor.name}" of '
                    f"{tensor.dtype}; all must be integers; use layers that the converter can "
                    "quantize (see 'edgeasr train --help' for models that can)"
                )
