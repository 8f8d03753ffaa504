"""Tables of the `logmel` and `mfcc` front ends (ear_frontend_mel.h): window, mel bands, DCT.

The definition is librosa's, on pcm / 32768: `melspectrogram(sr, n_fft, hop_length, win_length,
center=False, power=2.0, n_mels, fmin, fmax, htk, norm)`, `power_to_db(ref=1.0, amin=1e-10,
top_db=None)`, and for mfcc `scipy.fft.dct(type=2, norm="ortho")` over the channels. librosa frames
by n_fft with the window in the middle; here a frame is the window alone, which is librosa's frame
of the same sound with (n_fft - window) // 2 zeros put before it and the rest of them after it.

Error against librosa in double precision, tested in tests/vectors/frontend/test_mel.py: on
recordings at most 0.02 dB, most of it the rounding to 1/256 (1/32) dB. On any 16-bit sound, with
transforms of up to 1024 points, at most 0.02 dB in channels from -60 dB up, and 0.5 dB in those
between there and the floor, where beside a tone of full scale the 32-bit transform's own noise
begins to count.
"""

import numpy as np

from edgeasr.features import fft
from edgeasr.features.front_end import FrontEnd
from edgeasr.features.structs import Pointer, Struct, Symbol

_SLANEY_HZ_PER_MEL = 200 / 3
_SLANEY_BEND_HZ = 1000.0
_SLANEY_BEND = _SLANEY_BEND_HZ / _SLANEY_HZ_PER_MEL
_SLANEY_STEP = np.log(6.4) / 27


def specification(front_end: FrontEnd) -> Struct:
    """Return the ear_frontend_spec_t of a front end of kind `logmel` or `mfcc`."""
    points = front_end.fft_length // 2
    channels = front_end.channels
    first_bin, widths, weights, offsets = _bands(front_end)
    has_dct = front_end.kind == "mfcc"
    mel = Struct(
        "ear_frontend_mel_t",
        {
            "window_samples": front_end.window_samples,
            "window": _half_window(front_end.window_samples),
            "fft": fft.int32_tables(points),
            "channels": channels,
            "first_bin": first_bin,
            "widths": widths,
            "weights": weights,
            "offsets": offsets,
            "log2_bend": fft.log2_bend(),
            "coefficients": front_end.coefficients if has_dct else 0,
            "cosines": _cosines(channels) if has_dct else np.zeros(1, np.int32),
            "mean_scale": round((1 << 30) / np.sqrt(channels)),
        },
    )
    return Struct(
        "ear_frontend_spec_t",
        {
            "window_samples": front_end.window_samples,
            "hop_samples": front_end.hop_samples,
            "feature_count": front_end.feature_count,
            "state_words": 0,
            "scratch_words": 2 * (points + 1) + channels,
            "frame": Symbol(f"ear_frontend_{front_end.kind}"),
            "tables": Pointer(mel),
        },
    )


def _q31(values: np.ndarray) -> np.ndarray:
    return np.minimum(np.round(values * (1 << 31)), (1 << 31) - 1).astype(np.int32)


def _half_window(samples: int) -> np.ndarray:
    """Return the first half of the periodic Hann window; the second mirrors it."""
    i = np.arange(samples // 2 + 1)
    return _q31(0.5 - 0.5 * np.cos(2 * np.pi * i / samples))


def mel_points(front_end: FrontEnd) -> np.ndarray:
    """Return float64 [channels + 2]: edges and centers of the channels in Hz."""
    to_mel, to_hz = (_htk, _htk_hz) if front_end.mel_scale == "htk" else (_slaney, _slaney_hz)
    ends = to_mel(np.array([front_end.lower_hz, front_end.upper_hz]))
    return to_hz(np.linspace(ends[0], ends[1], front_end.channels + 2))


def _htk(hz: np.ndarray) -> np.ndarray:
    return 2595.0 * np.log10(1 + hz / 700)


def _htk_hz(mel: np.ndarray) -> np.ndarray:
    return 700.0 * (10.0 ** (mel / 2595) - 1)


def _slaney(hz: np.ndarray) -> np.ndarray:
    """Linear below 1 kHz, logarithmic above: M. Slaney, Auditory Toolbox, 1998."""
    above = _SLANEY_BEND + np.log(np.maximum(hz, 1e-9) / _SLANEY_BEND_HZ) / _SLANEY_STEP
    return np.where(hz < _SLANEY_BEND_HZ, hz / _SLANEY_HZ_PER_MEL, above)


def _slaney_hz(mel: np.ndarray) -> np.ndarray:
    above = _SLANEY_BEND_HZ * np.exp(_SLANEY_STEP * (mel - _SLANEY_BEND))
    return np.where(mel < _SLANEY_BEND, mel * _SLANEY_HZ_PER_MEL, above)


def _bands(front_end: FrontEnd) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    """Return first bin, bins of each segment, rising weight of each bin, offset of each channel."""
    points = mel_points(front_end)
    hz = np.arange(front_end.fft_length // 2 + 1) * front_end.sample_rate_hz / front_end.fft_length
    edges = np.searchsorted(hz, points, side="left")
    edges[-1] = np.searchsorted(hz, points[-1], side="right")
    inside = np.arange(edges[0], edges[-1])
    segment = np.searchsorted(edges, inside, side="right") - 1
    rising = (hz[inside] - points[segment]) / (points[segment + 1] - points[segment])
    weights = np.round(np.clip(rising, 0, 1) * (1 << 24)).astype(np.uint32)
    norm = 2.0 / (points[2:] - points[:-2]) if front_end.mel_norm == "slaney" else 1.0
    offsets = np.round(10 * np.log10(norm) * 65536) * np.ones(front_end.channels)
    return int(edges[0]), np.diff(edges).astype(np.uint16), weights, offsets.astype(np.int32)


def _cosines(channels: int) -> np.ndarray:
    wave = np.cos(np.pi * np.arange(channels + 1) / (2 * channels))
    return np.round(np.sqrt(2 / channels) * wave * (1 << 30)).astype(np.int32)
