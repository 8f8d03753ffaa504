"""Trained models become quantized `.tflite` files.

quantize               after training: int8, int16x8, or the weights alone
calibration_problems   why windows to calibrate with are doubtful
runnable               a quantized model on the host: IntegerModel, or FloatModel
"""

from edgeasr.quantize.floating import FloatModel
from edgeasr.quantize.integer import IntegerModel
from edgeasr.quantize.ptq import ACTIVATIONS, INTEGER_ACTIVATIONS, calibration_problems, quantize

__all__ = [
    "ACTIVATIONS",
    "INTEGER_ACTIVATIONS",
    "FloatModel",
    "IntegerModel",
    "calibration_problems",
    "quantize",
    "runnable",
]


def runnable(
    content: bytes, activations: str, feature_scale: float, feature_offset: float
) -> IntegerModel | FloatModel:
    """Return what quantize made for `activations` as a model that gives scores for features."""
    kind = IntegerModel if activations in INTEGER_ACTIVATIONS else FloatModel
    return kind(content, feature_scale, feature_offset)
