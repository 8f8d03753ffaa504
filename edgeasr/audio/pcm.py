"""Audio files become int16 mono PCM at one rate; what is not sound is refused in a sentence."""

import struct
from pathlib import Path

import numpy as np
import soundfile

from edgeasr.audio.clip import Clip
from edgeasr.errors import InputError, ToolError

SUFFIXES = frozenset({".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff", ".opus", ".au"})
_INTEGER_SUBTYPES = frozenset({"PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32"})
# Writers that stream (espeak-ng, ffmpeg to a pipe) leave the size of a WAV open with such values.
_OPEN_SIZE = 0x7FFF0000


def read(
    path: Path | str,
    sample_rate_hz: int = 16000,
    *,
    resample: bool = False,
    segment_s: tuple[float, float] | None = None,
) -> np.ndarray:
    """Return the recording as int16 [samples], mono, at `sample_rate_hz`.

    With resample=True stereo is mixed to mono and another rate converted (soxr, high quality);
    without it both are refused, since a device would hear something else than the file. segment_s
    reads from start to end in seconds. Float samples are scaled by 32768, rounded and clamped.
    Raises InputError: no file, not audio, empty, truncated, not finite, wrong rate or channels.
    """
    path = Path(path)
    samples, rate = _decode(path, segment_s)
    if samples.shape[1] != 1:
        if not resample:
            raise InputError(
                f"{path}: has {samples.shape[1]} channels; a clip has one; mix it to mono first"
            )
        samples = samples.mean(axis=1, dtype=np.float32, keepdims=True)
    if rate != sample_rate_hz and not resample:
        raise InputError(
            f"{path}: sample rate is {rate} Hz, wanted are {sample_rate_hz} Hz; resample it first"
        )
    mono = samples[:, 0]
    if rate != sample_rate_hz:
        mono = resampled(mono.astype(np.float32), rate, sample_rate_hz)
    return to_int16(mono)


def read_clip(
    clip: Clip, sample_rate_hz: int = 16000, *, samples: int | None = None, resample: bool = True
) -> np.ndarray:
    """Return a clip's PCM (its segment alone where it has one), fitted to `samples` when given."""
    pcm = read(clip.path, sample_rate_hz, resample=resample, segment_s=clip.segment_s)
    return pcm if samples is None else fit(pcm, samples)


def fit(pcm: np.ndarray, samples: int) -> np.ndarray:
    """Return PCM of exactly `samples`: short clips between zeros, of long ones the loudest window.

    The loudest window is the one of most energy, the earliest of equals. int16 [n] -> int16
    [samples]; other dtypes are kept as well.
    """
    missing = samples - len(pcm)
    if missing >= 0:
        before = missing // 2
        return np.pad(pcm, (before, missing - before))
    energy = np.concatenate(([0.0], np.cumsum(pcm.astype(np.float64) ** 2)))
    start = int(np.argmax(energy[samples:] - energy[:-samples]))
    return pcm[start : start + samples].copy()


def write(path: Path, pcm: np.ndarray, sample_rate_hz: int) -> None:
    """Write int16 mono PCM as a 16-bit file of the format that the suffix names."""
    soundfile.write(path, pcm, sample_rate_hz, subtype="PCM_16")


def resampled(
    signal: np.ndarray, from_hz: float, to_hz: float, *, quality: str = "HQ"
) -> np.ndarray:
    """Return the signal at another rate, in its dtype and scale; quality: a name of soxr's."""
    try:
        import soxr
    except ImportError:
        raise ToolError(
            f"soxr: not installed; converting {from_hz:g} Hz to {to_hz:g} Hz needs it; "
            "install it with: pip install 'edgeasr[train]'"
        ) from None
    return soxr.resample(signal, from_hz, to_hz, quality=quality)


def to_int16(signal: np.ndarray) -> np.ndarray:
    """Round samples of int16 scale to int16, clamped: nothing wraps."""
    if signal.dtype == np.int16:
        return np.ascontiguousarray(signal)
    return np.clip(np.rint(signal), -32768, 32767).astype(np.int16)


def duration_s(path: Path) -> float:
    """Return the length of an audio file in seconds, from its header."""
    try:
        facts = soundfile.info(path)
    except (soundfile.LibsndfileError, OSError) as error:
        raise _unreadable(path, error) from None
    return facts.frames / facts.samplerate


def _decode(path: Path, segment_s: tuple[float, float] | None) -> tuple[np.ndarray, int]:
    """Return samples [n, channels] in int16 scale (int16, or float32), and the rate in hertz."""
    if not path.is_file():
        raise InputError(f"{path}: no such file; a clip is an audio file (WAV, FLAC, OGG)")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: file is empty (0 bytes); record it again")
    _refuse_truncated_wav(path)
    try:
        with soundfile.SoundFile(path) as file:
            start, count = _window(path, file, segment_s)
            file.seek(start)
            exact = file.subtype in _INTEGER_SUBTYPES
            samples = file.read(count, dtype="int16" if exact else "float32", always_2d=True)
            rate = file.samplerate
    except (soundfile.LibsndfileError, RuntimeError, OSError) as error:
        raise _unreadable(path, error) from None
    if len(samples) < count:
        raise InputError(
            f"{path}: is cut off: {len(samples):,} of {count:,} samples are there; copy it again"
        )
    if exact:
        return samples, rate
    if not np.isfinite(samples).all():
        bad = int(np.argmin(np.isfinite(samples).all(axis=1)))
        raise InputError(f"{path}: sample {bad:,} is not a finite number; write it as 16-bit PCM")
    return samples * np.float32(32768), rate


def _window(
    path: Path, file: soundfile.SoundFile, segment_s: tuple[float, float] | None
) -> tuple[int, int]:
    if file.frames == 0:
        raise InputError(f"{path}: holds no samples; record it again")
    if segment_s is None:
        return 0, file.frames
    start = round(segment_s[0] * file.samplerate)
    end = round(segment_s[1] * file.samplerate)
    if not 0 <= start < end <= file.frames:
        raise InputError(
            f"{path}: seconds {segment_s[0]:g} to {segment_s[1]:g} are asked for; it has "
            f"{file.frames / file.samplerate:.2f} s"
        )
    return start, end - start


def _unreadable(path: Path, error: Exception) -> InputError:
    reason = str(getattr(error, "error_string", error)).strip().rstrip(".")
    return InputError(f"{path}: is not readable as audio ({reason}); WAV, FLAC and OGG are read")


def _refuse_truncated_wav(path: Path) -> None:
    """Raise when a WAV's data chunk promises more bytes than the file has.

    libsndfile shortens such a file without a word. Chunks: RIFF header of 12 bytes, then id, size
    (little-endian 32 bits), data padded to even (Microsoft, Multimedia Programming Interface 1.0).
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        header = file.read(12)
        if header[:4] != b"RIFF" or header[8:] != b"WAVE":
            return
        while len(chunk := file.read(8)) == 8:
            kind, length = struct.unpack("<4sI", chunk)
            if kind == b"data":
                there = size - file.tell()
                if there < length < _OPEN_SIZE:
                    raise InputError(
                        f"{path}: is cut off: {there:,} of {length:,} bytes of sound are there; "
                        "copy it again"
                    )
                return
            file.seek(length + (length & 1), 1)
