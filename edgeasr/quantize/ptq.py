"""Post-training quantization: a float Keras model and windows to calibrate it become TFLite.

Activations are int8, or int16 with int8 weights (int16x8): integers only, for firmware. Or they
stay float32, and the weights alone become int8 ("dynamic": the runtime quantizes activations as it
goes) or float16, or stay as they are: for a runtime on an operating system. Refused: a model of
integers of which an operation stays in floating point, since no device would run it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from edgeasr import graph, process
from edgeasr.backend import load_keras
from edgeasr.errors import CheckError, InputError, alternatives
from edgeasr.graph import Graph
from edgeasr.quantize.compact import compact

if TYPE_CHECKING:
    import keras

INTEGER_ACTIVATIONS = ("int8", "int16")
ACTIVATIONS = (*INTEGER_ACTIVATIONS, "dynamic", "float16", "float32")
# Fewer windows leave the range of activations to chance.
ENOUGH_WINDOWS = 100
_MAX_SILENT = 0.5
_FLOATS = frozenset({"float16", "float32", "float64"})


def quantize(
    model: keras.Model, calibration: np.ndarray | None, activations: str = "int8"
) -> bytes:
    """Return the model as a `.tflite` with activations of one of ACTIVATIONS.

    calibration: float32 [n, frames, features], real windows as in training; they fix the range of
    every activation of "int8" and "int16", whose input and output have that type too; the others
    take none. Weights are quantized per output channel (dense layers too where the converter
    does). Raises InputError for windows of another shape or not finite, CheckError when a float
    operation remains, ToolError without TensorFlow.
    """
    if activations not in ACTIVATIONS:
        raise InputError(
            f'quantize: activations "{activations}" not found; '
            f"{alternatives(activations, ACTIVATIONS)}"
        )
    if activations not in INTEGER_ACTIVATIONS:
        return compact(_convert(model, activations))
    windows = _checked(model, calibration)
    content = compact(_convert(model, activations, windows))
    refuse_floats(graph.parse(content))
    return content


def _checked(model: keras.Model, calibration: np.ndarray | None) -> np.ndarray:
    shape = tuple(model.input.shape[1:])
    found = np.zeros(0) if calibration is None else calibration
    if found.ndim != 3 or found.shape[1:] != shape[:2] or not len(found):
        raise InputError(
            f"calibration: windows of shape {list(found.shape)}; "
            f"[n, {shape[0]}, {shape[1]}] with n of 1 or more is needed"
        )
    if not np.isfinite(found).all():
        raise InputError(
            "calibration: a feature is not a finite number; compute the features again"
        )
    return found.astype(np.float32)


def calibration_problems(
    calibration: np.ndarray, labels: np.ndarray | None = None, names: Sequence[str] = ()
) -> list[str]:
    """Return a sentence for each reason to doubt the windows [n, frames, features].

    labels: [n], the place of each window's class in `names`; without them classes are not looked
    at.
    """
    problems = []
    if len(calibration) < ENOUGH_WINDOWS:
        problems.append(
            f"calibration: {len(calibration)} windows; at least {ENOUGH_WINDOWS} are advised, or "
            "the ranges of activations are left to chance; give more recordings"
        )
    problems += _silence(calibration)
    if labels is not None:
        missing = sorted(set(range(len(names))) - set(np.unique(labels).tolist()))
        if missing:
            problems.append(
                f"calibration: no window of {_listed([names[i] for i in missing])}; the ranges of "
                "activations may cut what only these classes reach; give recordings of all classes"
            )
    return problems


def _silence(calibration: np.ndarray) -> Iterator[str]:
    """A window whose values are all one is that of digital silence."""
    silent = np.ptp(calibration.reshape(len(calibration), -1), axis=1) == 0
    if len(calibration) and silent.all():
        yield (
            f"calibration: all values are {calibration.flat[0]:g}, as of silence; every activation "
            "would be cut to that; give recordings of speech"
            if np.ptp(calibration) == 0
            else "calibration: every window holds one value all over, as of silence; every "
            "activation would be cut to that; give recordings of speech"
        )
    elif len(calibration) and silent.mean() > _MAX_SILENT:
        yield (
            f"calibration: {silent.sum()} of {len(silent)} windows are silent, and speech is left "
            "to few; give more recordings of speech"
        )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f'"{name}"' for name in names[:10])
    return shown if len(names) <= 10 else f"{shown} and {len(names) - 10} more classes"


def _convert(model: keras.Model, activations: str, calibration: np.ndarray | None = None) -> bytes:
    keras = load_keras()
    import tensorflow as tf

    # A batch size of 1, or the file gets operations that work out its shape at run time.
    window = keras.Input(batch_shape=(1, *model.input.shape[1:]), name="features")
    single = keras.models.clone_model(model, input_tensors=window)
    single.set_weights(model.get_weights())
    call = tf.function(lambda features: single(features, training=False))
    concrete = call.get_concrete_function(tf.TensorSpec(window.shape, tf.float32, name="features"))
    with process.quiet():
        converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete])
    if activations != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if activations == "dynamic":
        # tflite-runtime 2.14, the Raspberry Pi's, has no such dense layers with a scale per unit.
        converter._experimental_disable_per_channel_quantization_for_dense_layers = True
    if activations == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if calibration is not None:
        _take_integers(converter, activations, calibration)
    with process.quiet():
        return converter.convert()


def _take_integers(converter, activations: str, calibration: np.ndarray) -> None:
    import tensorflow as tf

    sets, types = tf.lite.OpsSet, {"int8": tf.int8, "int16": tf.int16}
    converter.representative_dataset = lambda: ([row[None, ..., None]] for row in calibration)
    converter.target_spec.supported_ops = [
        sets.TFLITE_BUILTINS_INT8
        if activations == "int8"
        else sets.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
    ]
    converter.inference_input_type = converter.inference_output_type = types[activations]


def refuse_floats(quantized: Graph) -> None:
    """Raise CheckError for an operation that computes with floats."""
    for op in quantized.ops:
        for index in (*op.inputs, *op.outputs):
            if index >= 0 and quantized.tensor(index).dtype in _FLOATS:
                tensor = quantized.tensor(index)
                raise CheckError(
                    f'quantize: operation {op.kind} #{op.index} has tensor "{tensor.name}" of '
                    f"{tensor.dtype}; all must be integers; use layers that the converter can "
                    "quantize (see 'edgeasr train --help' for models that can)"
                )
