"""What a device tells, as dataclasses."""

import math
from dataclasses import dataclass

import numpy as np

FULL_SCALE = 32768


@dataclass(frozen=True)
class Hello:
    """Who answers, and what it holds.

    model_hash: first 8 bytes of the SHA-256 of the .tflite. sample_rate_hz: 0 where the model has
    no front end. clip_samples: fill the feature window exactly. input_dtype, output_dtype: of
    numpy. ticks_hz: rate of all ticks. rx_window_bytes: may be on their way, unanswered.
    dropped_frames: damaged frames that the device received since it started. state_bytes: that the
    model keeps from one inference to the next; 0 where it keeps none.
    """

    protocol_version: int
    runtime_version: int
    board: str
    engine: str
    model_name: str
    model_hash: bytes
    labels: tuple[str, ...]
    sample_rate_hz: int
    clip_samples: int
    frames: int
    feature_count: int
    input_bytes: int
    input_dtype: str
    output_bytes: int
    output_dtype: str
    layer_count: int
    ticks_hz: int
    rx_window_bytes: int
    arena_bytes: int
    dropped_frames: int
    state_bytes: int = 0


@dataclass(frozen=True)
class Event:
    """Something was recognised. label: its index. score: 0 to 255. sample: heard until then."""

    label: int
    score: int
    sample: int


@dataclass(frozen=True, eq=False)
class ClipResult:
    """How the device heard one clip.

    output: the model's after its last inference, one value per label. frames: rows of features
    made; features_crc: CRC-32 of them all, as little-endian int16. outputs_crc: CRC-32 of the
    outputs of all inferences; a model with state makes one for each window of the clip, any other
    one. peak: where the mean score of a label that is not ignored was highest, and had_event:
    whether the clip made an event; None and False without state. window: [frames, feature_count],
    the model's input; None unless asked for. round_trip_s: from the first byte sent to the result.
    """

    output: np.ndarray
    frames: int
    features_crc: int
    frontend_ticks: int
    inference_ticks: int
    round_trip_s: float
    window: np.ndarray | None = None
    inferences: int = 1
    outputs_crc: int = 0
    peak: Event | None = None
    had_event: bool = False


@dataclass(frozen=True, eq=False)
class Scores:
    """The model's output of one inference in a stream, and how many samples were heard until it."""

    values: np.ndarray
    sample: int


@dataclass(frozen=True)
class Level:
    """How loud a microphone was since the last Level.

    heard: samples since the stream began, modulo 2^32. samples: since the last Level, and of these:
    rms and peak, where 1 is full scale; clipped: how many were at its ends.
    """

    heard: int
    samples: int
    rms: float
    peak: float
    clipped: int

    @property
    def decibels(self) -> float:
        """The root mean square; full scale is 0 dB, and a half of the smallest step the least."""
        return _decibels(self.rms)

    @property
    def peak_decibels(self) -> float:
        return _decibels(self.peak)


def _decibels(share: float) -> float:
    return 20 * math.log10(max(share, 0.5 / FULL_SCALE))


def level_of(pcm: np.ndarray, heard: int) -> Level:
    """Return the level of int16 PCM that the host sends, `heard` samples with it."""
    values = pcm.astype(np.float64) / FULL_SCALE
    return Level(
        heard=heard,
        samples=len(pcm),
        rms=float(np.sqrt(np.square(values).mean())) if len(pcm) else 0.0,
        peak=float(np.abs(values).max(initial=0.0)),
        clipped=int(np.count_nonzero((pcm == 32767) | (pcm == -32768))),
    )


@dataclass(frozen=True)
class StreamSummary:
    """What a stream amounted to.

    features_crc: as in ClipResult. frontend_ticks: of the frames that ended without an inference;
    inference_ticks: of the inferences, with the frame that led to each.
    """

    samples: int
    frames: int
    features_crc: int
    inferences: int
    frontend_ticks: int
    inference_ticks: int


@dataclass(frozen=True)
class TensorResult:
    """One inference on a tensor: the model's output as bytes, and the ticks that it took."""

    output: bytes
    ticks: int


@dataclass(frozen=True)
class SelfTest:
    """What a device answered to a self-test.

    ticks: its clock when it was asked. ram_words: of its memory for data; next: the first of them
    that was not tested, or that failed. echo: what it was sent. asked_s, answered_s: the host's
    clock.
    """

    ticks: int
    ram_words: int
    next: int
    echo: bytes
    asked_s: float
    answered_s: float


@dataclass(frozen=True)
class Profile:
    """Ticks of one inference: in all, and layer by layer, in order of execution."""

    total_ticks: int
    layer_ticks: tuple[int, ...]
