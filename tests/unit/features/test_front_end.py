"""FrontEnd: refusals in sentences, counts that agree, and a dictionary that comes back."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeasr.errors import InputError
from edgeasr.features import FrontEnd

REFUSALS = [
    ({}, '"kind" is missing; allowed: logmel, mfcc, micro'),
    ({"kind": "plp"}, 'kind is "plp"; allowed: logmel, mfcc, micro'),
    ({"kind": 3}, "kind is 3; it must be text"),
    ({"kind": "micro", "chanels": 40}, '"chanels" is not a parameter of kind micro; did you mean '
     '"channels"'),
    ({"kind": "micro", "coefficients": 10}, '"coefficients" is not a parameter of kind micro'),
    ({"kind": "logmel", "pcan": True}, '"pcan" is not a parameter of kind logmel'),
    ({"kind": "micro", "channels": "40"}, "channels is '40'; it must be a whole number"),
    ({"kind": "micro", "channels": 40.0}, "channels is 40.0; it must be a whole number"),
    ({"kind": "micro", "channels": True}, "channels is True; it must be a whole number"),
    ({"kind": "micro", "channels": 0}, "channels is 0; 1 to 128 are allowed"),
    ({"kind": "micro", "pcan": 1}, "pcan is 1; it must be true or false"),
    ({"kind": "micro", "window_ms": None}, "window_ms is None; it must be a number"),
    ({"kind": "micro", "window_ms": float("nan")}, "window_ms is nan; 0.1 to 1000 are allowed"),
    ({"kind": "micro", "window_ms": 10, "hop_ms": 20},
     "window_ms is 10, shorter than hop_ms (20); sound would be skipped"),
    ({"kind": "micro", "window_ms": 1, "hop_ms": 1}, "window_ms is 1 (16 samples); 33 to 4096"),
    ({"kind": "micro", "window_ms": 500}, "window_ms is 500 (8000 samples); 33 to 4096 samples"),
    ({"kind": "micro", "sample_rate_hz": 8000, "window_ms": 20, "hop_ms": 0.1},
     "hop_ms is 0.1, less than one sample"),
    ({"kind": "micro", "upper_hz": 9000.0},
     "upper_hz is 9000, above half of the sample rate (8000 Hz)"),
    ({"kind": "micro", "upper_hz": 8000.0}, "kind micro allows less than 8000 Hz"),
    ({"kind": "micro", "lower_hz": 300.0, "upper_hz": 300.0},
     "lower_hz is 300, not below upper_hz (300)"),
    ({"kind": "micro", "lower_hz": 1000.0, "upper_hz": 1010.0},
     "no frequency of the FFT (every 31.25 Hz) lies between lower_hz (1000) and upper_hz (1010)"),
    ({"kind": "micro", "smoothing_bits": 2}, "smoothing_bits is 2; a window of 480 samples with "
     "pcan needs 3 or more"),
    ({"kind": "micro", "pcan_gain_bits": 14}, "pcan_gain_bits is 14; a window of 480 samples needs "
     "15 or more"),
    ({"kind": "micro", "log_shift": 11}, "log_shift is 11; 0 to 10 are allowed"),
    ({"kind": "logmel", "n_fft": 500}, "n_fft is 500; 0 or a power of two from the window's 480"),
    ({"kind": "logmel", "n_fft": 256}, "n_fft is 256; 0 or a power of two from the window's 480"),
    ({"kind": "logmel", "mel_scale": "bark"}, 'mel_scale is "bark"; allowed: htk, slaney'),
    ({"kind": "mfcc", "coefficients": 41}, "coefficients is 41, more than the 40 channels"),
    ({"kind": "mfcc", "channels": 120}, "channels is 120; kind mfcc allows 100 at most"),
    ("micro", "front end: 'micro' is not a table of parameters"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "sentence"), REFUSALS)
def test_refusals_say_value_and_range(values: object, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        FrontEnd.from_dict(values)
    assert str(caught.value).startswith("front end: ")
    assert sentence in str(caught.value)


@pytest.mark.parametrize("kind", ["micro", "logmel", "mfcc"])
def test_dictionary_survives_json(kind: str) -> None:
    front_end = FrontEnd(kind=kind, channels=32, hop_ms=12.5)
    values = json.loads(json.dumps(front_end.to_dict()))
    assert FrontEnd.from_dict(values) == front_end
    assert FrontEnd.from_dict({"kind": kind}) == FrontEnd(kind=kind)


def test_usual_counts() -> None:
    front_end = FrontEnd(window_ms=30, hop_ms=20)
    assert (front_end.window_samples, front_end.hop_samples) == (480, 320)
    assert front_end.frames_in(16_000) == 49
    assert front_end.samples_for(49) == 15_840
    assert front_end.unit == 1 / 64


@settings(max_examples=200, derandomize=True)
@given(
    window=st.integers(33, 4096),
    hop_share=st.floats(0.01, 1),
    frames=st.integers(0, 1000),
    extra=st.integers(0, 5000),
)
def test_frames_and_samples_agree(window: int, hop_share: float, frames: int, extra: int) -> None:
    hop = max(2, int(window * hop_share))
    front_end = FrontEnd(window_ms=window / 16, hop_ms=hop / 16)
    assert (front_end.window_samples, front_end.hop_samples) == (window, hop)
    samples = front_end.samples_for(frames)
    assert front_end.frames_in(samples) == frames
    if frames:
        assert front_end.frames_in(samples - 1) == frames - 1
    assert front_end.frames_in(extra) == len(range(0, extra - window + 1, hop))
