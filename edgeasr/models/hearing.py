"""What models hear: clips as recorded, clips in noise, and streams.

A stream is heard as the device does: the front end runs on without a reset, and the model looks at
the last frames every few frames.
"""

from collections.abc import Callable, Sequence

import numpy as np

from edgeasr import features
from edgeasr.audio import Clip, read_clip
from edgeasr.audio.augment import mix
from edgeasr.audio.clip import rank
from edgeasr.audio.pcm import to_int16
from edgeasr.errors import InputError
from edgeasr.models.examples import Window
from edgeasr.speech import SpeechModel


def inputs(model: SpeechModel, clips: Sequence[Clip]) -> np.ndarray:
    """Return a model's inputs for clips as recorded: int8 or int16 [clips, ...]."""
    end, samples = model.facts.front_end, model.facts.clip_samples
    heard = [read_clip(clip, end.sample_rate_hz, samples=samples) for clip in clips]
    windows = np.stack([features.compute(end, pcm) for pcm in heard])
    shape = model.graph.tensor(model.graph.inputs[0]).shape
    made = features.quantize(model.feature_quantization, windows)
    return made.reshape(len(made), *shape[1:])


def in_noise(
    clips: Sequence[Clip], noises: Sequence[Clip], window: Window, snr_db: float, seed: int = 1
) -> np.ndarray:
    """Return int16 features [clips, frames, features] of clips mixed with recordings of noise.

    Each clip gets one place in one recording, drawn by the seed and the clip's name; snr_db is over
    the clip's active level. Raises InputError without noise.
    """
    if not noises:
        raise InputError(
            "no recordings of noise are of the split that is measured; none can be mixed"
        )
    rate = window.front_end.sample_rate_hz
    around = [read_clip(noise, rate) for noise in noises]
    rows = []
    for clip in clips:
        rng = np.random.default_rng([seed, rank(seed, clip.id)])
        pcm = read_clip(clip, rate, samples=window.samples).astype(np.float32)
        noise = np.resize(around[rng.integers(len(around))], (1 << 20,))
        start = int(rng.integers(len(noise) - len(pcm)))
        heard = mix(pcm, noise[start : start + len(pcm)], snr_db, rate)
        rows.append(features.compute(window.front_end, to_int16(heard)))
    return np.stack(rows)


def windows_of(pcm: np.ndarray, window: Window, hop_frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the model's windows along a stream, int16 [n, frames, features], and the samples that
    had been heard at each, int [n]. n is 0 for a stream shorter than a window."""
    rows = features.compute(window.front_end, pcm)
    ends = np.arange(window.frames, len(rows) + 1, hop_frames)
    heard = np.array([window.front_end.samples_for(int(end)) for end in ends], np.int64)
    shape = (0, window.frames, window.front_end.feature_count)
    if not len(ends):
        return np.empty(shape, np.int16), heard
    return np.stack([rows[end - window.frames : end] for end in ends]), heard


def embedded(
    clip: Clip, window: Window, lead_s: float = 1.0, tail_s: float = 1.0, seed: int = 1
) -> np.ndarray:
    """Return int16 PCM with one clip in it, and faint noise (about -80 dBFS) before and after.

    The clip is not cut: a recording of one word may be shorter or longer than the model's window.
    """
    rate = window.front_end.sample_rate_hz
    pcm = read_clip(clip, rate)
    before, after = round(lead_s * rate), round(tail_s * rate)
    rng = np.random.default_rng([seed, rank(seed, clip.id)])
    stream = rng.normal(0, 3.0, before + len(pcm) + after)
    stream[before : before + len(pcm)] += pcm
    return to_int16(stream)


def score_streams(
    sounds: Sequence[np.ndarray],
    window: Window,
    hop_frames: int,
    scores: Callable[[np.ndarray], np.ndarray],
    on_stream: Callable[[int], None] = lambda done: None,
) -> list[tuple[np.ndarray, np.ndarray, float]]:
    """Return for each int16 PCM stream: scores [n, labels], samples heard [n], seconds."""
    made = []
    for number, pcm in enumerate(sounds, 1):
        windows, heard = windows_of(pcm, window, hop_frames)
        made.append((scores(windows), heard, len(pcm) / window.front_end.sample_rate_hz))
        on_stream(number)
    return made
