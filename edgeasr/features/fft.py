"""Tables of the runtime's fixed-point FFTs (ear_fft_*.h) and of its logarithm."""

import numpy as np

from edgeasr.features.structs import Struct


def order(points: int) -> np.ndarray:
    """Return uint16 [points]: where complex point i is stored before the transform.

    Radix 4 from the outermost stage inwards, and one radix-2 stage innermost when log2(points) is
    odd: the order of KISS FFT, on which its rounding depends.
    """
    index = np.arange(points)
    place = np.zeros(points, int)
    span = points
    while span > 1:
        radix = 4 if span % 4 == 0 else 2
        span //= radix
        place += index % radix * span
        index //= radix
    return place.astype(np.uint16)


def pack16(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return uint32 words of two signed 16-bit halves."""
    return (low.astype(np.int64) & 0xFFFF | (high.astype(np.int64) & 0xFFFF) << 16).astype(
        np.uint32
    )


def _turns(phase: np.ndarray, one: int) -> tuple[np.ndarray, np.ndarray]:
    """Return both parts of exp(j phase) in steps of 1 / one, rounded as KISS FFT does."""
    re, im = (np.floor(0.5 + one * wave(phase)) for wave in (np.cos, np.sin))
    return re, im


def _phases(points: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the phases of the stages' rotations, and of those that split the spectrum."""
    k = np.arange(points)
    return (
        -2 * np.pi * k[: 3 * points // 4] / points,
        -np.pi * ((k[: points // 2] + 1) / points + 0.5),
    )


def int16_tables(points: int) -> Struct:
    """Return the ear_fft_int16_t for 2 * points real samples; points: a power of two from 8 up."""
    twiddles, split = (pack16(*_turns(phase, 32767)) for phase in _phases(points))
    return Struct(
        "ear_fft_int16_t",
        {"points": points, "order": order(points), "twiddles": twiddles, "split": split},
    )


def kiss32_tables(points: int) -> Struct:
    """Return the ear_fft_kiss32_t for 2 * points real samples; points: a power of two from 8 up."""
    twiddles, split = (
        np.stack(_turns(phase, (1 << 31) - 1), axis=-1).astype(np.int32)
        for phase in _phases(points)
    )
    return Struct(
        "ear_fft_kiss32_t",
        {"points": points, "order": order(points), "twiddles": twiddles, "split": split},
    )


def int32_tables(points: int) -> Struct:
    """Return the ear_fft_int32_t for 2 * points real samples; points: a power of two from 8 up."""
    quarter = np.sin(np.pi * np.arange(points // 2 + 1) / points)
    sine = np.minimum(np.round(quarter * (1 << 31)), (1 << 31) - 1).astype(np.int32)
    return Struct("ear_fft_int32_t", {"points": points, "order": order(points), "sine": sine})


def log2_bend() -> np.ndarray:
    """Return uint16 [130]: log2(1 + i / 128) - i / 128 in Q16, with a zero more."""
    x = np.arange(129) / 128
    bend = np.floor((np.log2(1 + x) - x) * 65536 + 0.5)
    return np.append(bend, 0).astype(np.uint16)
