"""Clips become other clips of the same word: what training hears beyond its recordings.

Signals are float32 [samples] in int16 scale (full scale is 32768). Every function keeps the length
and leaves its input alone; clamping to int16 is the last step, so nothing wraps.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from edgeasr.audio import pcm
from edgeasr.audio.clip import Clip
from edgeasr.errors import InputError

# Frames of 10 ms within 30 dB of the loudest count as speech when its level is measured.
_ACTIVE_RANGE = 10.0**-3
_FULL_SCALE = 32768.0
Curve = Callable[[np.ndarray], np.ndarray]


def shift(signal: np.ndarray, samples: int) -> np.ndarray:
    """Move the sound later (samples > 0) or earlier; zeros fill, what leaves is lost."""
    moved = np.zeros_like(signal)
    samples = min(max(samples, -len(signal)), len(signal))
    if samples >= 0:
        moved[samples:] = signal[: len(signal) - samples]
    else:
        moved[:samples] = signal[-samples:]
    return moved


def gain(signal: np.ndarray, db: float) -> np.ndarray:
    """Change the level by `db` decibels."""
    return signal * np.float32(10 ** (db / 20))


def speed(signal: np.ndarray, factor: float) -> np.ndarray:
    """Play `factor` times as fast by resampling: tempo, pitch and formants change together.

    The result is fitted to the length: centred between zeros, or the loudest window.
    """
    played = pcm.resampled(signal, round(1000 * factor), 1000, quality="LQ")
    return pcm.fit(played, len(signal))


def active_power(signal: np.ndarray, sample_rate_hz: int = 16000) -> float:
    """Return the mean power of the 10 ms frames within 30 dB of the loudest one; 0 for silence.

    Power over these frames, not the whole clip, so that padding does not change the ratio to noise
    (the idea of ITU-T P.56's active speech level, without its hangover).
    """
    frame = sample_rate_hz // 100
    whole = len(signal) // frame * frame
    blocks = signal[:whole].reshape(-1, frame)
    power = np.einsum("ij,ij->i", blocks, blocks, dtype=np.float64) / frame
    if not len(power) or power.max() == 0:
        return 0.0
    return float(power[power >= power.max() * _ACTIVE_RANGE].mean())


def mix(
    signal: np.ndarray, noise: np.ndarray, snr_db: float, sample_rate_hz: int = 16000
) -> np.ndarray:
    """Add noise [same length] at `snr_db`: active power of the signal over mean power of the noise.

    A silent signal or silent noise is added as it is, since no gain gives a ratio.
    """
    power = active_power(signal, sample_rate_hz)
    noise_power = float(np.mean(np.square(noise, dtype=np.float64)))
    if power == 0 or noise_power == 0:
        return signal + noise.astype(np.float32)
    scale = np.sqrt(power / noise_power) * 10 ** (-snr_db / 20)
    return signal + noise.astype(np.float32) * np.float32(scale)


def reverberate(
    signal: np.ndarray,
    rng: np.random.Generator,
    rt60_s: float,
    wet_db: float,
    sample_rate_hz: int = 16000,
) -> np.ndarray:
    """Add the echo of a room: noise that falls by 60 dB in `rt60_s`, after 2 ms of direct sound.

    wet_db: energy of the echo over that of the direct sound. The energy of the clip is kept. The
    impulse response is Polack's statistical model (noise times an exponential).
    """
    length = max(round(rt60_s * sample_rate_hz), 1)
    time = np.arange(length, dtype=np.float32) / np.float32(length)
    echo = rng.standard_normal(length, dtype=np.float32) * np.exp(np.float32(-6.9078) * time)
    echo *= np.float32(10 ** (wet_db / 20)) / max(np.linalg.norm(echo), 1e-9)
    response = np.zeros(length + sample_rate_hz // 500, np.float32)
    response[-length:] = echo
    response[0] = 1.0
    size = _fft_size(len(signal) + len(response))
    spectrum = np.fft.rfft(signal, size) * np.fft.rfft(response, size)
    heard = np.fft.irfft(spectrum, size)[: len(signal)].astype(np.float32)
    return heard * np.float32(np.linalg.norm(signal) / max(np.linalg.norm(heard), 1e-9))


def equalize(
    signal: np.ndarray, rng: np.random.Generator, db: float, sample_rate_hz: int = 16000
) -> np.ndarray:
    """Colour the sound with a smooth random curve: eight gains of up to ±db, an octave apart."""
    anchors_hz = sample_rate_hz / 2 / 2.0 ** np.arange(7, -1, -1)
    gains_db = rng.uniform(-db, db, len(anchors_hz))

    def curve(frequency_hz: np.ndarray) -> np.ndarray:
        octave = np.log2(np.maximum(frequency_hz, anchors_hz[0]) / anchors_hz[0])
        return 10 ** (np.interp(octave, np.arange(len(anchors_hz)), gains_db) / 20)

    return _filtered(signal, curve, sample_rate_hz)


def band_limit(
    signal: np.ndarray, low_hz: float, high_hz: float, sample_rate_hz: int = 16000
) -> np.ndarray:
    """Keep low_hz to high_hz, as a telephone (300 to 3400 Hz) or an 8 kHz recording (0 to 4000 Hz).

    The edges fall as half a cosine over a tenth of their frequency.
    """

    def curve(frequency_hz: np.ndarray) -> np.ndarray:
        up = (
            (frequency_hz - 0.9 * low_hz) / (0.1 * low_hz) if low_hz else np.ones_like(frequency_hz)
        )
        down = (1.1 * high_hz - frequency_hz) / (0.1 * high_hz)
        return 0.5 - 0.5 * np.cos(np.pi * np.clip(np.minimum(up, down), 0, 1))

    return _filtered(signal, curve, sample_rate_hz)


def overdrive(signal: np.ndarray, db: float) -> np.ndarray:
    """Clip the waveform `db` decibels below its peak, as a microphone does that is shouted at."""
    limit = float(np.abs(signal).max(initial=0.0)) * 10 ** (-db / 20)
    return np.clip(signal, -limit, limit).astype(np.float32)


def noise_floor(signal: np.ndarray, rng: np.random.Generator, level_dbfs: float) -> np.ndarray:
    """Add white noise at a level against full scale, so that no clip is of digital silence."""
    level = np.float32(_FULL_SCALE * 10 ** (level_dbfs / 20))
    return signal + level * rng.standard_normal(len(signal), dtype=np.float32)


def _filtered(signal: np.ndarray, curve: Curve, sample_rate_hz: int) -> np.ndarray:
    """Filter with a zero-phase gain curve over frequency; zeros on the right take what spreads."""
    size = _fft_size(len(signal) + 256)
    frequency_hz = np.arange(size // 2 + 1, dtype=np.float32) * np.float32(sample_rate_hz / size)
    spectrum = np.fft.rfft(signal, size) * curve(frequency_hz).astype(np.float32)
    return np.fft.irfft(spectrum, size)[: len(signal)].astype(np.float32)


def _fft_size(least: int) -> int:
    """Return the next length of the form 2^a or 3 * 2^a, which a transform does fast."""
    power = 1 << max(least - 1, 1).bit_length()
    return 3 * power // 4 if 3 * power // 4 >= least else power


@dataclass(frozen=True)
class AugmentSpec:
    """How often each change is made (0 to 1) and between which values it is drawn, evenly."""

    speed_chance: float = 0.7
    speed: tuple[float, float] = (0.85, 1.18)
    shift_ms: float = 100.0
    gain_db: tuple[float, float] = (-12.0, 6.0)
    equalize_chance: float = 0.5
    equalize_db: float = 9.0
    reverb_chance: float = 0.3
    reverb_rt60_s: tuple[float, float] = (0.1, 0.6)
    reverb_wet_db: tuple[float, float] = (-15.0, 0.0)
    band_limit_chance: float = 0.1
    overdrive_chance: float = 0.05
    overdrive_db: tuple[float, float] = (3.0, 12.0)
    noise_chance: float = 0.7
    snr_db: tuple[float, float] = (0.0, 30.0)
    floor_dbfs: tuple[float, float] = (-85.0, -55.0)


# Telephone, 8 kHz recording, and two between.
_BANDS_HZ = ((300.0, 3400.0), (0.0, 4000.0), (100.0, 5000.0), (60.0, 6500.0))


class Augmenter:
    """Changes clips as a specification says, the same way for the same seed, clip and take.

    noises: int16 recordings of at least one sample each, of the training split, at the same rate.
    """

    def __init__(
        self,
        spec: AugmentSpec = AugmentSpec(),
        noises: Sequence[np.ndarray] = (),
        seed: int = 1,
        sample_rate_hz: int = 16000,
    ) -> None:
        if any(len(noise) == 0 for noise in noises):
            raise InputError("a recording of noise is empty; leave it out")
        self._spec = spec
        self._noises = list(noises)
        self._seed = seed
        self._rate = sample_rate_hz

    def __call__(self, samples: np.ndarray, clip_id: str, take: int = 0) -> np.ndarray:
        """Return another version of int16 [n] samples as int16 [n].

        The result depends on seed, clip_id and take (the epoch, say) alone, in whatever order and
        process the clips come.
        """
        digest = hashlib.sha256(clip_id.encode()).digest()
        rng = np.random.default_rng([self._seed, take, int.from_bytes(digest[:8], "big")])
        return pcm.to_int16(self._room(self._voice(samples.astype(np.float32), rng), rng))

    def _voice(self, signal: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Change the speaker: tempo and size, place in the clip."""
        spec = self._spec
        if rng.random() < spec.speed_chance:
            signal = speed(signal, rng.uniform(*spec.speed))
        reach = round(spec.shift_ms * self._rate / 1000)
        return shift(signal, int(rng.integers(-reach, reach + 1)))

    def _room(self, signal: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Change what lies between mouth and file: room, noise, microphone, level."""
        spec, rate = self._spec, self._rate
        if rng.random() < spec.reverb_chance:
            rt60_s, wet_db = rng.uniform(*spec.reverb_rt60_s), rng.uniform(*spec.reverb_wet_db)
            signal = reverberate(signal, rng, rt60_s, wet_db, rate)
        if self._noises and rng.random() < spec.noise_chance:
            noise = self._noise(rng, len(signal))
            signal = mix(signal, noise, rng.uniform(*spec.snr_db), rate)
        if rng.random() < spec.equalize_chance:
            signal = equalize(signal, rng, spec.equalize_db, rate)
        if rng.random() < spec.band_limit_chance:
            signal = band_limit(signal, *_BANDS_HZ[rng.integers(len(_BANDS_HZ))], rate)
        if rng.random() < spec.overdrive_chance:
            signal = overdrive(signal, rng.uniform(*spec.overdrive_db))
        signal = gain(signal, rng.uniform(*spec.gain_db))
        return noise_floor(signal, rng, rng.uniform(*spec.floor_dbfs))

    def _noise(self, rng: np.random.Generator, samples: int) -> np.ndarray:
        noise = self._noises[rng.integers(len(self._noises))]
        if len(noise) < samples:
            noise = np.tile(noise, -(-samples // len(noise)))
        start = int(rng.integers(len(noise) - samples + 1))
        return noise[start : start + samples]


def read_noises(clips: Iterable[Clip], sample_rate_hz: int = 16000) -> list[np.ndarray]:
    """Return the recordings of those noise clips that are of split train, for an Augmenter."""
    return [pcm.read_clip(clip, sample_rate_hz) for clip in clips if clip.split == "train"]
