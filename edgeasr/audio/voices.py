"""Words become synthetic clips of many voices with a manifest, for training only.

Synthetic voices widen the speakers that training hears; they never stand in a test.
"""

import contextlib
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile

from edgeasr.audio import engines, pcm
from edgeasr.audio.catalog import manifest
from edgeasr.audio.clip import Clip, rank
from edgeasr.audio.engines import Take, Voice
from edgeasr.errors import InputError, ToolError

# Part of the clips that each engine gives when it may give its share.
SHARES: Mapping[str, float] = {"espeak-ng": 0.6, "flite": 0.28, "festival": 0.12}
# People say a single word slower than a synthesiser says it in a sentence.
_RATES = (0.55, 1.15)
_PITCHES = (0.8, 1.25)
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9' -]{0,39}")
# A frame of 10 ms counts as sound when its level is within 40 dB of the loudest frame.
_SILENCE_DB = 40.0
_MARGIN_S = 0.03
_SHORTEST_S = 0.08


def synthesize(
    words: Sequence[str] | Mapping[str, str],
    out_dir: Path,
    *,
    per_word: int = 150,
    engine_names: Sequence[str] = tuple(SHARES),
    seed: int = 1,
    sample_rate_hz: int = 16000,
    on_clip: Callable[[], None] = lambda: None,
) -> list[Clip]:
    """Write `per_word` clips of each word into out_dir/LABEL/, with out_dir/manifest.csv.

    words: the words, or word -> label. Every word is said by the same voices at the same rates and
    pitches, so that neither tells a label. Clips are int16 mono WAV, silence at both ends cut, of
    split train, speaker `synthetic:ENGINE:VOICE:VARIANT`. The same arguments with the same programs
    give the same bytes. out_dir must not exist or be empty, and appears whole or not at all.
    """
    labels = words if isinstance(words, Mapping) else {word: word for word in words}
    _check(labels, per_word)
    if out_dir.exists() and (not out_dir.is_dir() or any(out_dir.iterdir())):
        raise InputError(f"{out_dir}: exists and is not an empty folder; name a new one")
    spoken = _speakers(engine_names, per_word, seed)
    with _appearing(out_dir) as folder, tempfile.TemporaryDirectory() as scratch:
        clips = []
        for name, voices in spoken.items():
            takes = _takes(labels, voices, seed, Path(scratch))
            engines.engine(name).say(takes, on_clip)
            clips += [_finish(t, labels[t.word], folder, sample_rate_hz) for t in takes]
        clips = [clip for clip in clips if clip]
        if not clips:
            raise ToolError(f"{', '.join(engine_names)} said nothing; try 'espeak-ng hello'")
        clips.sort(key=lambda clip: clip.path)
        manifest.write(folder / "manifest.csv", clips)
    return [replace(c, path=out_dir / c.path.relative_to(folder)) for c in clips]


def _check(labels: Mapping[str, str], per_word: int) -> None:
    if not labels or per_word < 1:
        raise InputError("no words are given, or fewer than one clip a word; give at least one")
    for word, label in labels.items():
        if not _WORD.fullmatch(word):
            raise InputError(
                f"word {word!r} can not be said; letters, digits, spaces, ' and - are allowed, "
                "at most 40"
            )
        manifest.label(label, f'word "{word}"')
        if not _WORD.fullmatch(label.strip("_")):
            raise InputError(f'label "{label}" can not be a folder; letters, digits, - are allowed')


def _speakers(names: Sequence[str], per_word: int, seed: int) -> dict[str, list[Voice]]:
    """Choose the voices of each engine, as many as clips a word; they repeat when there are few."""
    if not names:
        raise InputError(f"no engine is given; allowed: {', '.join(SHARES)}")
    available = {name: engines.engine(name).voices() for name in dict.fromkeys(names)}
    for name, voices in available.items():
        if not voices:
            package = engines.ENGINES[name].package
            raise ToolError(f"{name}: has no English voice; apt-get install {package}")
    total = sum(SHARES[name] for name in available)
    chosen = {}
    left = per_word
    for name, voices in reversed(available.items()):
        first = name == next(iter(available))
        count = left if first else min(left, round(per_word * SHARES[name] / total))
        left -= count
        order = sorted(voices, key=lambda v: rank(seed, v.speaker))
        chosen[name] = [order[n % len(order)] for n in range(count)]
    return dict(reversed(chosen.items()))


def _takes(
    labels: Mapping[str, str], voices: Sequence[Voice], seed: int, scratch: Path
) -> list[Take]:
    takes = []
    for number, voice in enumerate(voices):
        rng = np.random.default_rng([seed, number, rank(seed, voice.speaker)])
        rate, pitch = rng.uniform(*_RATES), rng.uniform(*_PITCHES)
        for index, word in enumerate(labels):
            file = scratch / f"{voice.engine}_{index:03d}_{number:04d}.wav"
            takes.append(Take(voice, word, rate, pitch, file))
    return takes


def _finish(take: Take, label: str, folder: Path, sample_rate_hz: int) -> Clip | None:
    """Turn what the engine wrote into a clip; None when there is no sound in it."""
    try:
        sound, rate = soundfile.read(take.file, dtype="float32")
    except (soundfile.LibsndfileError, OSError) as error:
        raise ToolError(
            f"{take.voice.engine}: wrote no sound for {take.word!r} ({error})"
        ) from None
    take.file.unlink()
    trimmed = trim(sound * np.float32(32768), rate)
    # Read as if recorded at rate * size: every frequency is multiplied by the size.
    heard = pcm.to_int16(pcm.resampled(trimmed, round(rate * take.voice.size), sample_rate_hz))
    if len(heard) < _SHORTEST_S * sample_rate_hz:
        return None
    path = folder / label / f"{take.word.replace(' ', '_')}_{take.file.stem}.wav"
    path.parent.mkdir(exist_ok=True)
    pcm.write(path, heard, sample_rate_hz)
    return Clip(
        path=path,
        label=label,
        word=take.word,
        speaker=take.voice.speaker,
        split="train",
        source="synthetic",
        licence=engines.ENGINES[take.voice.engine].licence,
        duration_s=round(len(heard) / sample_rate_hz, 4),
        synthetic=True,
    )


def trim(sound: np.ndarray, rate: int) -> np.ndarray:
    """Cut the quiet (40 dB below the loudest 10 ms) off both ends, but for a margin of 30 ms."""
    frame = max(rate // 100, 1)
    frames = sound[: len(sound) // frame * frame].reshape(-1, frame)
    if not len(frames):
        return sound[:0]
    level = np.sqrt(np.mean(np.square(frames, dtype=np.float64), axis=1))
    loud = np.flatnonzero(level > max(level.max() * 10 ** (-_SILENCE_DB / 20), 1.0))
    if not len(loud):
        return sound[:0]
    margin = round(_MARGIN_S * rate)
    return sound[max(loud[0] * frame - margin, 0) : (loud[-1] + 1) * frame + margin]


@contextlib.contextmanager
def _appearing(out_dir: Path) -> Iterator[Path]:
    """Give a folder that becomes `out_dir` at the end, and goes when something fails."""
    out_dir.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{out_dir.name}.", dir=out_dir.parent))
    try:
        yield folder
        folder.chmod(0o755)
        folder.replace(out_dir)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
