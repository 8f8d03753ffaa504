"""`logmel` and `mfcc` lie within their stated error of librosa: synthetic and real sounds."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edgeasr import features
from edgeasr.features import FrontEnd

_ON_RECORDINGS_DB = 0.02
_LOUD_DB = -60.0
_LOUD_ERROR_DB = 0.02
_ANY_ERROR_DB = 0.5

_FRONT_ENDS = {
    "logmel": FrontEnd(kind="logmel"),
    "logmel_whole_band": FrontEnd(kind="logmel", mel_norm="none", lower_hz=0.0, upper_hz=8000.0),
    "logmel_htk_1024": FrontEnd(
        kind="logmel", mel_scale="htk", window_ms=25, n_fft=1024, channels=64
    ),
    "logmel_8khz_odd_window": FrontEnd(
        kind="logmel",
        sample_rate_hz=8000,
        window_ms=25.4,
        hop_ms=12.6,
        upper_hz=4000.0,
        channels=20,
    ),
    "logmel_empty_channels": FrontEnd(kind="logmel", window_ms=16, channels=90, lower_hz=0.0),
    "mfcc": FrontEnd(kind="mfcc"),
    "mfcc_htk_all": FrontEnd(kind="mfcc", mel_scale="htk", channels=26, coefficients=26),
}


def reference(front_end: FrontEnd, pcm: np.ndarray) -> np.ndarray:
    """librosa's features in double precision, in dB: [frames, feature_count]."""
    import librosa
    import scipy.fft

    pad = front_end.fft_length - front_end.window_samples
    sound = np.pad(pcm.astype(np.float64) / 32768, (pad // 2, pad - pad // 2))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Empty filters")
        mel = librosa.feature.melspectrogram(
            y=sound, sr=front_end.sample_rate_hz, n_fft=front_end.fft_length,
            hop_length=front_end.hop_samples, win_length=front_end.window_samples, center=False,
            power=2.0, n_mels=front_end.channels, fmin=front_end.lower_hz,
            fmax=front_end.upper_hz, htk=front_end.mel_scale == "htk",
            norm="slaney" if front_end.mel_norm == "slaney" else None, dtype=np.float64,
        )  # fmt: skip
    levels = librosa.power_to_db(mel, ref=1.0, amin=1e-10, top_db=None)
    if front_end.kind == "mfcc":
        levels = scipy.fft.dct(levels, axis=0, type=2, norm="ortho")[: front_end.coefficients]
    return levels.T


def _errors(front_end: FrontEnd, pcm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the absolute errors in dB, and the reference."""
    pcm = np.clip(pcm, -32768, 32767).astype(np.int16)
    want = reference(front_end, pcm)
    got = features.compute(front_end, pcm)
    assert got.shape == want.shape
    return np.abs(got * front_end.unit - want), want


def _synthetic(rate: int) -> list[np.ndarray]:
    random = np.random.default_rng(7)
    t = np.arange(rate // 2)
    sounds = [
        0 * t, 0 * t + 32767, 0 * t - 32768, 0 * t + 1, np.where(t % 2, 32767, -32768),
        np.where(t // 37 % 2, 32767, -32768), np.where(t == 700, -32768, 0),
        np.where(t == 700, 1, 0), np.round(20000 * np.sin(t**2 * 9e-5)),
        np.round(30000 * np.sin(2 * np.pi * t / 32)),
    ]  # fmt: skip
    for _ in range(12):
        tone = 10 ** random.uniform(0, 4.5) * np.sin(random.uniform(0.01, 3.1) * t)
        noise = random.normal(size=len(t)) * 10 ** random.uniform(-1, 4)
        sounds += [np.round(tone), np.round(noise), np.round(tone + noise)]
    return sounds


@pytest.mark.parametrize("name", list(_FRONT_ENDS))
def test_synthetic_sounds(name: str) -> None:
    front_end = _FRONT_ENDS[name]
    for number, pcm in enumerate(_synthetic(front_end.sample_rate_hz)):
        errors, want = _errors(front_end, pcm)
        assert errors.max() <= _ANY_ERROR_DB, number
        if front_end.kind == "logmel":
            assert errors[want >= _LOUD_DB].max(initial=0) <= _LOUD_ERROR_DB, number


@pytest.mark.parametrize("name", [n for n, f in _FRONT_ENDS.items() if f.sample_rate_hz == 16_000])
def test_recordings(shared_data: Path, name: str) -> None:
    paths = sorted(p for part in ("digits", "keywords", "noise")
                   for p in (shared_data / part).rglob("*.flac"))[::97]  # fmt: skip
    assert len(paths) > 50
    for path in paths:
        pcm, _ = soundfile.read(path, dtype="int16", frames=80_000)
        errors, _ = _errors(_FRONT_ENDS[name], pcm)
        assert errors.max(initial=0) <= _ON_RECORDINGS_DB, path.name
