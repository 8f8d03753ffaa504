"""Tables of the `micro` front end (ear_frontend_micro.h): window, mel bands, gains, logarithm.

Upstream computes them in single precision; each step here is rounded to float32 as it is there, so
that the integers agree. Source: tensorflow/lite/experimental/microfrontend/lib/*_util.c.
"""

import math

import numpy as np

from edgeasr.features import fft, single
from edgeasr.features.front_end import FrontEnd
from edgeasr.features.structs import Pointer, Struct, Symbol

_F = np.float32
_GAIN_INTERVALS = 32
_SNR_BITS = 12
_INT16_MAX = 32767


def specification(front_end: FrontEnd) -> Struct:
    """Return the ear_frontend_spec_t of a front end of kind `micro`."""
    points = front_end.fft_length // 2
    first_bin, widths, weights = _bands(front_end)
    micro = Struct(
        "ear_frontend_micro_t",
        {
            "window_samples": front_end.window_samples,
            "window": _window(front_end.window_samples),
            "fft": fft.int16_tables(points),
            "channels": front_end.channels,
            "first_bin": first_bin,
            "widths": widths,
            "weights": weights,
            "noise_reduction": int(front_end.noise_reduction),
            "gain_control": int(front_end.pcan),
            "smoothing_bits": front_end.smoothing_bits,
            "even_smoothing": _q14(front_end.even_smoothing),
            "odd_smoothing": _q14(front_end.odd_smoothing),
            "min_remaining": _q14(front_end.min_signal_remaining),
            "gains": _gains(front_end) if front_end.pcan else np.zeros(1, np.int16),
            "snr_shift": snr_shift(front_end) if front_end.pcan else 0,
            "log2_bend": fft.log2_bend(),
            "correction_bits": correction_bits(front_end),
            "log_shift": front_end.log_shift,
        },
    )
    return Struct(
        "ear_frontend_spec_t",
        {
            "window_samples": front_end.window_samples,
            "hop_samples": front_end.hop_samples,
            "feature_count": front_end.feature_count,
            "state_words": front_end.channels,
            "scratch_words": points + 1 + front_end.channels,
            "frame": Symbol("ear_frontend_micro"),
            "tables": Pointer(micro),
        },
    )


def correction_bits(front_end: FrontEnd) -> int:
    """Return the left shift that undoes the FFT's division, less half the weights' 12 bits."""
    return front_end.fft_length.bit_length() - 1 - 6


def snr_shift(front_end: FrontEnd) -> int:
    """Return the right shift from signal times gain to a ratio with 12 fraction bits."""
    return front_end.pcan_gain_bits - correction_bits(front_end) - _SNR_BITS


def _q14(share: float) -> int:
    return int(_F(share) * _F(1 << 14))


def _window(samples: int) -> np.ndarray:
    step = _F(_F(math.pi) * _F(2)) / _F(samples)
    angles = step * (np.arange(samples, dtype=np.float32) + _F(0.5))
    hann = _F(0.5) - _F(0.5) * np.cos(angles.astype(np.float64)).astype(np.float32)
    return np.floor(hann * _F(1 << 12) + _F(0.5)).astype(np.int16)


def _mel(hz: np.float32) -> np.float32:
    return _F(1127) * single.log1p(_F(hz) / _F(700))


def _bands(front_end: FrontEnd) -> tuple[int, np.ndarray, np.ndarray]:
    """Return the first bin, the bins of each band, and each bin's weights as packed Q12 halves."""
    low, high = _mel(_F(front_end.lower_hz)), _mel(_F(front_end.upper_hz))
    bands = front_end.channels + 1
    spacing = _F(_F(high - low) / _F(bands))
    centers = [_F(low + _F(spacing * _F(i + 1))) for i in range(bands)]
    hz_per_bin = _F(0.5) * _F(front_end.sample_rate_hz) / _F(front_end.fft_length // 2)
    first = bin_ = int(_F(1.5) + _F(_F(front_end.lower_hz) / hz_per_bin))
    widths, here, after = [], [], []
    for previous, center in zip([low, *centers], centers, strict=False):
        start = bin_
        while (mel := _mel(_F(bin_) * hz_per_bin)) <= center:
            weight = _F(_F(center - mel) / _F(center - previous))
            here.append(math.floor(_F(weight * _F(4096)) + _F(0.5)))
            after.append(math.floor(_F(_F(_F(1) - weight) * _F(4096)) + _F(0.5)))
            bin_ += 1
        widths.append(bin_ - start)
    weights = fft.pack16(np.array(here), np.array(after))
    return first, np.array(widths, np.uint16), weights


def _gain(front_end: FrontEnd, noise: int) -> int:
    input_bits = front_end.smoothing_bits - correction_bits(front_end)
    level = _F(_F(noise) / _F(1 << input_bits))
    base = float(_F(level + _F(front_end.pcan_offset)))
    power = _F(base ** -float(_F(front_end.pcan_strength)))
    gain = _F(_F(1 << front_end.pcan_gain_bits) * power)
    return _INT16_MAX if gain > _INT16_MAX else int(_F(gain + _F(0.5)))


def _wrap16(value: int) -> int:
    return (value + (1 << 15)) % (1 << 16) - (1 << 15)


def _gains(front_end: FrontEnd) -> np.ndarray:
    """Return int16 [125]: gain at 0 and 1, then per power of two the three terms of a parabola."""
    table = np.zeros(4 * _GAIN_INTERVALS - 3, np.int16)
    table[0], table[1] = _gain(front_end, 0), _gain(front_end, 1)
    for interval in range(2, _GAIN_INTERVALS + 1):
        start = 1 << (interval - 1)
        last = interval == _GAIN_INTERVALS
        ends = (start, start + start // 2, 2 * start - last)
        y0, y1, y2 = (_gain(front_end, x) for x in ends)
        linear = 4 * (y1 - y0) - (y2 - y0)
        terms = (y0, linear, y2 - y0 - linear)
        table[4 * interval - 6 : 4 * interval - 3] = [_wrap16(t) for t in terms]
    return table
