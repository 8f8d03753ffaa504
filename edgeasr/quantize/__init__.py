"""Trained models become full-integer `.tflite` files: int8 in, int8 out, per-channel weights."""

from edgeasr.quantize.int8 import Int8Model
from edgeasr.quantize.ptq import calibration_problems, quantize

__all__ = ["Int8Model", "calibration_problems", "quantize"]
