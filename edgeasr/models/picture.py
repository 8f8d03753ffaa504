"""A batch of feature windows becomes another of the same words: other throats, rooms, gaps.

Changes are made to the log-mel picture itself, in numpy, anew for every batch. They cost little
and widen the speakers more than changes of the sound do.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class PictureSpec:
    """How far a picture is changed. Features have about unit variance; F features, T frames.

    warp: stretch of the frequency axis, ±; a vocal tract that much shorter or longer (Jaitly and
      Hinton, "Vocal tract length perturbation", 2013). bend: its shift in features, ±.
    stretch: stretch of the time axis, ±. shift_frames: its shift, ±.
    equalize: standard deviation of a smooth curve over frequency that is added; level: of a
      constant.
    frequency_masks, time_masks, and the longest of each (Park et al., "SpecAugment", 2019).
    """

    warp: float = 0.14
    bend: float = 1.5
    stretch: float = 0.1
    shift_frames: int = 4
    equalize: float = 0.3
    level: float = 0.25
    frequency_masks: int = 2
    frequency_mask: int = 7
    time_masks: int = 1
    time_mask: int = 8


def change(windows: np.ndarray, spec: PictureSpec, rng: np.random.Generator) -> np.ndarray:
    """Return changed windows: float32 [n, frames, features], as given."""
    windows = _move(windows, spec, rng)
    windows = windows + _curve(windows.shape, spec, rng)
    return _mask(windows, spec, rng)


def _move(windows: np.ndarray, spec: PictureSpec, rng: np.random.Generator) -> np.ndarray:
    """Resample the frequency axis linearly and the time axis to the nearest frame."""
    count, frames, features = windows.shape

    def column(low: float, high: float) -> np.ndarray:
        return rng.uniform(low, high, (count, 1)).astype(np.float32)

    middle = (frames - 1) / 2
    time = (np.arange(frames) - middle) * column(1 - spec.stretch, 1 + spec.stretch) + middle
    time = time + rng.integers(-spec.shift_frames, spec.shift_frames + 1, (count, 1))
    time = np.clip(np.rint(time), 0, frames - 1).astype(np.intp)
    place = np.arange(features) * column(1 - spec.warp, 1 + spec.warp)
    place = np.clip(place + column(-spec.bend, spec.bend), 0, features - 1.001)
    below = place.astype(np.intp)
    part = (place - below).astype(np.float32)[:, None, :]
    clip, rows = np.arange(count)[:, None, None], time[:, :, None]
    lower = windows[clip, rows, below[:, None, :]]
    upper = windows[clip, rows, below[:, None, :] + 1]
    return lower + (upper - lower) * part


def _curve(shape: tuple[int, ...], spec: PictureSpec, rng: np.random.Generator) -> np.ndarray:
    """Return a level, a tilt and a wave over frequency for each picture: float32 [n, 1, F]."""
    count, _, features = shape
    axis = np.linspace(0, 1, features)[None]

    def normal(deviation: float) -> np.ndarray:
        return rng.normal(0, deviation, (count, 1)) if deviation else np.zeros((count, 1))

    waves = rng.uniform(0.5, 2, (count, 1))
    phase = rng.uniform(0, 2 * np.pi, (count, 1))
    curve = normal(spec.level) + normal(spec.equalize) * (axis - 0.5)
    curve += normal(spec.equalize * 0.7) * np.cos(2 * np.pi * axis * waves + phase)
    return curve[:, None, :].astype(np.float32)


def _mask(windows: np.ndarray, spec: PictureSpec, rng: np.random.Generator) -> np.ndarray:
    """Put the mean, zero, in bands of frequency, and half the picture's least in spans of time."""
    _, frames, features = windows.shape
    for _ in range(spec.frequency_masks):
        hidden = _spans(len(windows), features, spec.frequency_mask, rng)
        windows = np.where(hidden[:, None, :], np.float32(0), windows)
    for _ in range(spec.time_masks):
        hidden = _spans(len(windows), frames, spec.time_mask, rng)
        low = windows.min(axis=(1, 2), keepdims=True) / 2
        windows = np.where(hidden[:, :, None], low, windows)
    return windows


def _spans(count: int, length: int, longest: int, rng: np.random.Generator) -> np.ndarray:
    """Return bool [count, length], true in one span per row of 0 to `longest`."""
    width = rng.integers(0, longest + 1, (count, 1))
    start = rng.integers(0, length, (count, 1))
    axis = np.arange(length)[None]
    return (axis >= start) & (axis < start + width)


def mix(
    windows: np.ndarray, targets: np.ndarray, strength: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Blend each picture, and its targets [n, labels], with another (Zhang et al., "mixup", 2017).

    strength: both parameters of the beta distribution of the blend; the larger part stays first.
    """
    share = rng.beta(strength, strength, len(windows)).astype(np.float32)
    share = np.maximum(share, 1 - share)
    other = rng.permutation(len(windows))
    weight = share.reshape(-1, *[1] * (windows.ndim - 1))
    blended = weight * windows + (1 - weight) * windows[other]
    share = share[:, None]
    return blended, share * targets + (1 - share) * targets[other]
