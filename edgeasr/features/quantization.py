"""Features to the model's int8 input, in 32-bit integers."""

import ctypes
import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from edgeasr.errors import InputError
from edgeasr.features.native import library
from edgeasr.features.specification import COMMON_SOURCES

_MAX_TERM = 32_767


@dataclass(frozen=True)
class FeatureQuantization:
    """q = clamp(floor((f * numerator + denominator // 2) / denominator) + offset, -128, 127).

    numerator and denominator: 1 to 32767; offset: -32768 to 32767. TFLite-Micro's micro_speech has
    256, 666 and -128.
    """

    numerator: int
    denominator: int
    offset: int

    def __post_init__(self) -> None:
        for name, least, most in (
            ("numerator", 1, _MAX_TERM),
            ("denominator", 1, _MAX_TERM),
            ("offset", -32_768, 32_767),
        ):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
                raise InputError(
                    f"feature quantization: {name} is {value!r}; "
                    f"a whole number from {least} to {most} is allowed"
                )


class _Terms(ctypes.Structure):
    """ear_feature_quantization_t"""

    _fields_ = (
        ("numerator", ctypes.c_int32),
        ("denominator", ctypes.c_int32),
        ("offset", ctypes.c_int32),
    )


def feature_quantization(
    feature_scale: float, feature_offset: float, input_scale: float, input_zero_point: int
) -> FeatureQuantization:
    """Return the quantization of features for a model whose input is int8.

    The model's real input is `feature * feature_scale + feature_offset`, and its int8 input is
    `real / input_scale + input_zero_point`. The ratio becomes the nearest fraction of 15-bit terms;
    the offset is rounded to a whole step, so an input is off by half a step at most.
    Raises InputError when the ratio is outside 1/32767 to 32767, or the offset outside 16 bits.
    """
    if not (input_scale > 0 and feature_scale > 0):
        raise InputError(
            f"feature quantization: feature_scale is {feature_scale:g} and the input's scale "
            f"{input_scale:g}; both must be above 0"
        )
    ratio = Fraction(feature_scale) / Fraction(input_scale)
    if not Fraction(1, _MAX_TERM) <= ratio <= _MAX_TERM:
        raise InputError(
            f"feature quantization: a feature step is {float(ratio):g} steps of the model's input; "
            f"1/{_MAX_TERM} to {_MAX_TERM} is possible; train with another feature_scale"
        )
    if ratio <= 1:
        nearest = ratio.limit_denominator(_MAX_TERM)
    else:
        nearest = 1 / (1 / ratio).limit_denominator(_MAX_TERM)
    offset = math.floor(feature_offset / input_scale + input_zero_point + 0.5)
    return FeatureQuantization(nearest.numerator, nearest.denominator, offset)


def quantize(quantization: FeatureQuantization, features: np.ndarray) -> np.ndarray:
    """Return int8 features of the same shape, by the device's own C. features: int16."""
    if features.dtype != np.int16:
        raise InputError(f"features are {features.dtype}; quantize takes int16")
    features = np.ascontiguousarray(features)
    output = np.empty(features.shape, np.int8)
    terms = _Terms(quantization.numerator, quantization.denominator, quantization.offset)
    library(COMMON_SOURCES).ear_quantize_features(
        ctypes.byref(terms), features.ctypes.data, features.size, output.ctypes.data
    )
    return output
