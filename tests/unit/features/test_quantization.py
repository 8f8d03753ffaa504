"""FeatureQuantization: the C equals its formula, and the derived one is near the real numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeasr import features
from edgeasr.errors import InputError
from edgeasr.features import (
    FeatureQuantization,
    FeatureScaling,
    UnsignedFeatureQuantization,
    WideFeatureQuantization,
)

_ALL = np.arange(-32_768, 32_768).astype(np.int16)


def _formula(q: FeatureQuantization, values: np.ndarray) -> np.ndarray:
    scaled = (values.astype(np.int64) * q.numerator + q.denominator // 2) // q.denominator
    return np.clip(scaled + q.offset, -128, 127).astype(np.int8)


@settings(max_examples=60)
@given(
    numerator=st.integers(1, 32_767),
    denominator=st.integers(1, 32_767),
    offset=st.integers(-32_768, 32_767),
)
def test_c_equals_formula(numerator: int, denominator: int, offset: int) -> None:
    q = FeatureQuantization(numerator, denominator, offset)
    assert np.array_equal(features.quantize(q, _ALL), _formula(q, _ALL))


def test_micro_speech_of_tflite_micro() -> None:
    """Its example: ((feature * 256) + 333) / 666 - 128, feature from 0 to 670."""
    values = np.arange(0, 671).astype(np.int16)
    want = np.clip((values.astype(int) * 256 + 333) // 666 - 128, -128, 127)
    got = features.quantize(FeatureQuantization(256, 666, -128), values.reshape(1, -1))
    assert got.shape == (1, 671)
    assert np.array_equal(got[0], want)


@pytest.mark.parametrize("input_scale", [0.10171568393707275, 0.10196078568696976, 0.1041567])
def test_upstreams_formula_from_scales_at_every_feature(input_scale: float) -> None:
    """Of C's division, which rounds towards zero; the scales are of public models."""
    scaled = _ALL.astype(int) * 256 + 333
    divided = np.sign(scaled) * (np.abs(scaled) // 666)
    want = np.clip(divided - 128, -128, 127)
    derived = features.feature_quantization(input_scale * 256 / 666, 0.0, input_scale, -128)
    assert derived == FeatureQuantization(128, 333, -128)
    assert np.array_equal(features.quantize(derived, _ALL), want)


@settings(max_examples=40)
@given(
    numerator=st.integers(1, 32_767),
    denominator=st.integers(1, 32_767),
    offset=st.integers(-32_768, 32_767),
)
def test_uint8_is_the_same_between_other_ends(
    numerator: int, denominator: int, offset: int
) -> None:
    q = UnsignedFeatureQuantization(numerator, denominator, offset)
    made = features.quantize(q, _ALL)
    scaled = (_ALL.astype(np.int64) * numerator + denominator // 2) // denominator
    assert made.dtype == np.uint8
    assert np.array_equal(made, np.clip(scaled + offset, 0, 255))


@settings(max_examples=40)
@given(scale=st.floats(2**-13, 10, width=32), offset=st.floats(-20, 20, width=32))
def test_float32_is_rounded_after_each_step(scale: float, offset: float) -> None:
    q = features.feature_quantization(scale, offset, 1.0, 0, "float32")
    assert q == FeatureScaling(scale, offset)
    made = features.quantize(q, _ALL)
    want = _ALL.astype(np.float32) * np.float32(scale) + np.float32(offset)
    assert made.dtype == np.float32
    assert np.array_equal(made, want)


@settings(max_examples=100)
@given(
    scale=st.floats(1e-4, 10),
    offset=st.floats(-20, 20),
    input_scale=st.floats(1e-2, 1),
    zero_point=st.integers(-128, 127),
)
def test_derived_is_within_a_step(
    scale: float, offset: float, input_scale: float, zero_point: int
) -> None:
    q = features.feature_quantization(scale, offset, input_scale, zero_point)
    real = np.clip((_ALL * scale + offset) / input_scale + zero_point, -128, 127)
    assert np.abs(features.quantize(q, _ALL) - real).max() <= 1.01 + 200 * 1e-4


@settings(max_examples=60)
@given(
    multiplier=st.integers(1 << 30, (1 << 31) - 1),
    shift=st.integers(1, 32),
    offset=st.integers(-(1 << 31), (1 << 31) - 1),
)
def test_c_equals_formula_for_int16(multiplier: int, shift: int, offset: int) -> None:
    q = WideFeatureQuantization(multiplier, shift, offset)
    moved = [((f * multiplier >> shift) + offset) >> 14 for f in _ALL.tolist()]
    got = features.quantize(q, _ALL)
    assert got.dtype == np.int16
    assert np.array_equal(got, np.clip(moved, -32_768, 32_767))


@settings(max_examples=100)
@given(
    scale=st.floats(1e-4, 10),
    offset=st.floats(-20, 20),
    step=st.floats(1 / 30_000, 2000),
)
def test_int16_is_the_nearest_step(scale: float, offset: float, step: float) -> None:
    """All features, against real numbers: half a step, and 2^-13 for the integers."""
    input_scale = scale / step
    if abs(offset / input_scale) > 60_000:
        return
    q = features.feature_quantization(scale, offset, input_scale, 0, "int16")
    real = np.clip((_ALL * scale + offset) / input_scale, -32_768, 32_767)
    assert np.abs(features.quantize(q, _ALL) - real).max() <= 0.5 + 2**-13


def test_int16_equals_tflites_quantize() -> None:
    """The digits model's scales: as QUANTIZE of float32, but where that comes near a tie."""
    scale, offset, input_scale = 0.0026, -1.7, np.float32(5.3e-5)
    q = features.feature_quantization(scale, offset, float(input_scale), 0, "int16")
    steps = (_ALL * np.float32(scale) + np.float32(offset)).astype(np.float32) / input_scale
    wanted = np.clip(np.trunc(steps + np.copysign(np.float32(0.5), steps)), -32_768, 32_767)
    got = features.quantize(q, _ALL)
    clear = np.abs(np.abs(steps - np.trunc(steps)) - 0.5) > 0.02
    assert clear.mean() > 0.9
    assert np.array_equal(got[clear], wanted[clear])
    assert np.abs(got - wanted).max() <= 1


@pytest.mark.parametrize(
    ("terms", "sentence"),
    [
        ((0, 1, 0), "numerator is 0; a whole number from 1 to 32767 is allowed"),
        ((1, 40_000, 0), "denominator is 40000; a whole number from 1 to 32767 is allowed"),
        ((1, 1, 1.5), "offset is 1.5; a whole number from -32768 to 32767 is allowed"),
    ],
)
def test_refusals(terms: tuple, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        FeatureQuantization(*terms)
    assert sentence in str(caught.value)


def test_ratio_out_of_reach_is_refused() -> None:
    with pytest.raises(InputError, match="train with another feature_scale"):
        features.feature_quantization(1e-9, 0.0, 1.0, 0)
    with pytest.raises(InputError, match="both must be above 0"):
        features.feature_quantization(-1.0, 0.0, 1.0, 0)
