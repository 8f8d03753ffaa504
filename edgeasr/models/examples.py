"""Clips become arrays to learn from: the front end's int16 features of several takes of each clip.

Take 0 is the clip as recorded; the others are changed by the augmenter. Features are made by worker
processes and kept in the cache, since every training of the same clips needs the same ones.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from multiprocessing import current_process, get_context
from pathlib import Path

import numpy as np

from edgeasr import features
from edgeasr.audio import Clip, read_clip
from edgeasr.audio.augment import Augmenter, AugmentSpec, read_noises
from edgeasr.errors import InputError
from edgeasr.features import FrontEnd

# Raise it when the same clips and settings would give other features.
_CACHE_VERSION = 1
_CHUNK = 16


@dataclass(frozen=True)
class Window:
    """What a model sees: a front end, and how many of its frames."""

    front_end: FrontEnd
    frames: int

    @property
    def samples(self) -> int:
        return self.front_end.samples_for(self.frames)


@dataclass(frozen=True)
class Examples:
    """features: int16 [clips, takes, frames, features]; labels: int [clips], places in `names`;
    words: what is spoken in each clip; synthetic: bool [clips]."""

    features: np.ndarray
    labels: np.ndarray
    names: tuple[str, ...]
    words: tuple[str, ...]
    synthetic: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def counts(self) -> np.ndarray:
        """Return the number of clips of each label."""
        return np.bincount(self.labels, minlength=len(self.names))


@dataclass(frozen=True)
class Takes:
    """How many versions of each clip, and how the changed ones are made."""

    count: int = 1
    augment: AugmentSpec = field(default_factory=AugmentSpec)
    noises: tuple[Clip, ...] = ()
    seed: int = 1
    original: bool = True


def examples(
    clips: Sequence[Clip],
    names: Sequence[str],
    window: Window,
    takes: Takes = Takes(),
    *,
    cache: Path | None = None,
    workers: int | None = None,
    on_clip: Callable[[int], None] = lambda done: None,
) -> Examples:
    """Return the examples of clips whose labels are among `names`.

    cache: folder of earlier results, None for none. on_clip is told how many clips are done.
    Raises InputError for no clips, a label that is not among the names, or audio that is unusable.
    """
    if not clips:
        raise InputError(
            "no clips to learn from or to measure; look at the data with 'edgeasr data'"
        )
    strange = sorted({clip.label for clip in clips} - set(names))
    if strange:
        raise InputError(f'label "{strange[0]}" is not among the model\'s: {", ".join(names)}')
    file = cache / f"{_key(clips, window, takes)}.npy" if cache else None
    if file and file.is_file():
        made = np.load(file)
        on_clip(len(clips))
    else:
        made = _compute(clips, window, takes, workers or _cores(), on_clip)
        if file:
            _save(file, made)
    labels = np.array([names.index(clip.label) for clip in clips])
    synthetic = np.array([clip.synthetic for clip in clips])
    return Examples(made, labels, tuple(names), tuple(clip.spoken for clip in clips), synthetic)


def join(first: Examples, second: Examples) -> Examples:
    """Return the clips of both, with the takes of the one that has more; the other's repeat."""
    takes = max(first.features.shape[1], second.features.shape[1])
    order = np.arange(takes)
    both = [part.features[:, order % part.features.shape[1]] for part in (first, second)]
    return Examples(
        np.concatenate(both),
        np.concatenate((first.labels, second.labels)),
        first.names,
        first.words + second.words,
        np.concatenate((first.synthetic, second.synthetic)),
    )


def _cores() -> int:
    if current_process().daemon:  # a worker of somebody's pool may not start processes
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _key(clips: Sequence[Clip], window: Window, takes: Takes) -> str:
    """Name the features by all that they depend on; of a recording, by its size and time."""

    def facts(clip: Clip) -> list[object]:
        seen = clip.path.stat() if clip.path.is_file() else None
        return [clip.id, clip.segment_s, seen and (seen.st_size, seen.st_mtime_ns)]

    settings = {
        "version": _CACHE_VERSION,
        "clips": [facts(clip) for clip in clips],
        "noises": [facts(clip) for clip in takes.noises],
        "front_end": window.front_end.to_dict(),
        "frames": window.frames,
        "takes": [takes.count, takes.seed, takes.original, asdict(takes.augment)],
    }
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:24]


def _save(file: Path, array: np.ndarray) -> None:
    """Write whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            np.save(stream, array)
        Path(name).replace(file)
    finally:
        Path(name).unlink(missing_ok=True)


def _compute(
    clips: Sequence[Clip],
    window: Window,
    takes: Takes,
    workers: int,
    on_clip: Callable[[int], None],
) -> np.ndarray:
    shape = (len(clips), takes.count, window.frames, window.front_end.feature_count)
    made = np.empty(shape, np.int16)
    rate = window.front_end.sample_rate_hz
    noises = read_noises(takes.noises, rate)
    setting = (window, takes, noises)
    if workers == 1 or len(clips) < 4 * _CHUNK:
        worker = _Worker(*setting)
        for place, clip in enumerate(clips):
            made[place] = worker(clip)
            on_clip(place + 1)
        return made
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_start, initargs=setting
    ) as pool:
        for place, rows in enumerate(pool.map(_work, clips, chunksize=_CHUNK)):
            made[place] = rows
            on_clip(place + 1)
    return made


class _Worker:
    """Makes all takes of one clip."""

    def __init__(self, window: Window, takes: Takes, noises: Sequence[np.ndarray]) -> None:
        self._window = window
        self._takes = takes
        rate = window.front_end.sample_rate_hz
        self._augment = Augmenter(takes.augment, noises, takes.seed, rate)

    def __call__(self, clip: Clip) -> np.ndarray:
        window, takes = self._window, self._takes
        pcm = read_clip(clip, window.front_end.sample_rate_hz, samples=window.samples)
        first = 0 if takes.original else 1
        heard = [
            pcm if take == 0 else self._augment(pcm, clip.id, take)
            for take in range(first, first + takes.count)
        ]
        return np.stack([features.compute(window.front_end, sound) for sound in heard])


_worker: _Worker | None = None


def _start(window: Window, takes: Takes, noises: Sequence[np.ndarray]) -> None:
    global _worker
    _worker = _Worker(window, takes, noises)


def _work(clip: Clip) -> np.ndarray:
    assert _worker is not None
    return _worker(clip)
