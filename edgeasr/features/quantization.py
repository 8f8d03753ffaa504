"""Features to the model's input: int8, uint8, int16 or float32, by the device's own C."""

import ctypes
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np

from edgeasr.errors import InputError
from edgeasr.features.native import library
from edgeasr.features.specification import COMMON_SOURCES
from edgeasr.features.structs import Struct, to_ctypes

_MAX_TERM = 32_767
# Bits below the point of WideFeatureQuantization's offset.
_FRACTION_BITS = 14


@dataclass(frozen=True)
class _Terms:
    """Whole numbers within their ranges: the members of a C struct, in its order."""

    dtype: ClassVar[str]
    c_type: ClassVar[str]
    c_function: ClassVar[str]
    ranges: ClassVar[Mapping[str, tuple[int, int]]]

    def __post_init__(self) -> None:
        for name, (least, most) in self.ranges.items():
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
                raise InputError(
                    f"feature quantization: {name} is {value!r}; "
                    f"a whole number from {least} to {most} is allowed"
                )

    def struct(self) -> Struct:
        return Struct(self.c_type, asdict(self))


@dataclass(frozen=True)
class FeatureQuantization(_Terms):
    """q = clamp(floor((f * numerator + denominator // 2) / denominator) + offset, -128, 127).

    numerator and denominator: 1 to 32767; offset: -32768 to 32767. TFLite-Micro's micro_speech and
    microWakeWord have 256, 666 and -128.
    """

    numerator: int
    denominator: int
    offset: int

    dtype = "int8"
    c_type = "ear_feature_quantization_8_t"
    c_function = "ear_quantize_features_s8"
    ranges: ClassVar[Mapping[str, tuple[int, int]]] = {
        "numerator": (1, _MAX_TERM),
        "denominator": (1, _MAX_TERM),
        "offset": (-32_768, 32_767),
    }


@dataclass(frozen=True)
class UnsignedFeatureQuantization(FeatureQuantization):
    """The same, with a clamp from 0 to 255."""

    dtype = "uint8"
    c_function = "ear_quantize_features_u8"


@dataclass(frozen=True)
class FeatureScaling:
    """The real input itself: f * scale + offset, each step rounded to float32.

    scale and offset: values of float32.
    """

    scale: float
    offset: float

    dtype: ClassVar[str] = "float32"
    c_function: ClassVar[str] = "ear_quantize_features_f32"

    def struct(self) -> Struct:
        terms = {"scale": np.float32(self.scale), "offset": np.float32(self.offset)}
        return Struct("ear_feature_scaling_f32_t", terms)


@dataclass(frozen=True)
class WideFeatureQuantization(_Terms):
    """q = clamp(floor((f * multiplier / 2^shift + offset) / 2^14), -32768, 32767).

    multiplier: 2^30 to 2^31 - 1; shift: 1 to 32; offset: 32 bits.
    """

    multiplier: int
    shift: int
    offset: int

    dtype = "int16"
    c_type = "ear_feature_quantization_s16_t"
    c_function = "ear_quantize_features_s16"
    ranges: ClassVar[Mapping[str, tuple[int, int]]] = {
        "multiplier": (1 << 30, (1 << 31) - 1),
        "shift": (1, 32),
        "offset": (-(1 << 31), (1 << 31) - 1),
    }


Quantization = FeatureQuantization | WideFeatureQuantization | FeatureScaling
DTYPES = ("int8", "uint8", "int16", "float32")  # of inputs that features can become


def feature_quantization(
    feature_scale: float,
    feature_offset: float,
    input_scale: float,
    input_zero_point: int,
    dtype: str = "int8",
) -> Quantization:
    """Return the quantization of features for a model whose input is of `dtype`, one of DTYPES.

    The model's real input is `feature * feature_scale + feature_offset`, and its quantized input is
    `real / input_scale + input_zero_point`, rounded. For int8 and uint8 the ratio of the scales
    becomes the nearest fraction of 15-bit terms, and the offset is rounded to a whole step: an
    input is off by one step at most. For int16 it is what TFLite's QUANTIZE gives of the real
    input, but where that lies within 2^-13 steps of a tie. For float32 it is the real input, whose
    scale and zero point do not count.
    Raises InputError when the ratio is outside 1/32767 to 32767, or the offset out of range.
    """
    if dtype == "float32":
        return FeatureScaling(float(np.float32(feature_scale)), float(np.float32(feature_offset)))
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
    offset = feature_offset / input_scale + input_zero_point
    if dtype == "int16":
        return _wide(ratio, offset)
    return _narrow(UnsignedFeatureQuantization if dtype == "uint8" else FeatureQuantization,
                   ratio, offset)  # fmt: skip


def _narrow(kind: type[FeatureQuantization], ratio: Fraction, offset: float) -> FeatureQuantization:
    if ratio <= 1:
        nearest = ratio.limit_denominator(_MAX_TERM)
    else:
        nearest = 1 / (1 / ratio).limit_denominator(_MAX_TERM)
    return kind(nearest.numerator, nearest.denominator, math.floor(offset + 0.5))


def _wide(ratio: Fraction, offset: float) -> WideFeatureQuantization:
    power = math.frexp(float(ratio))[1]  # ratio < 2^power
    multiplier = min(round(ratio * Fraction(2) ** (31 - power)), (1 << 31) - 1)
    half_up = math.floor((offset + 0.5) * (1 << _FRACTION_BITS) + 0.5)
    return WideFeatureQuantization(multiplier, 31 - power - _FRACTION_BITS, half_up)


def quantize(quantization: Quantization, features: np.ndarray) -> np.ndarray:
    """Return features in the model's type, of the same shape, by the device's own C.

    features: int16.
    """
    if features.dtype != np.int16:
        raise InputError(f"features are {features.dtype}; quantize takes int16")
    features = np.ascontiguousarray(features)
    output = np.empty(features.shape, quantization.dtype)
    loaded, keep = library(COMMON_SOURCES), []
    terms = to_ctypes(quantization.struct(), loaded, keep)
    function = getattr(loaded, quantization.c_function)
    function(ctypes.byref(terms), features.ctypes.data, features.size, output.ctypes.data)
    return output
