"""A folder of data sets becomes the clips that a task is trained, tuned and measured on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edgeasr.audio import Clip, Task, catalog, task
from edgeasr.audio.tasks import TASKS, words
from edgeasr.audio.voices import synthesize
from edgeasr.speech import SILENCE, UNKNOWN

NEGATIVE = "_negative_speech_"
# Words of no task, for synthetic voices to say: frequent ones, and some that sound like a task's.
OTHER_WORDS = (
    "happy wow sheila cat marvin house bird bed learn tree forward backward dog follow visual "
    "open close signal print hello window table water music people never maybe again"
).split()
TASK_NAMES = tuple(TASKS)
_SETS = ("digits", "keywords")
_NOISE = "noise"


@dataclass(frozen=True)
class Material:
    """The clips of a task with what surrounds them.

    noise: recordings to mix with, of all splits; negative: speech without the task's words;
    synthetic: clips of synthetic voices, for training only.
    """

    task: Task
    noise: tuple[Clip, ...]
    negative: tuple[Clip, ...]
    synthetic: tuple[Clip, ...] = ()


def gather(name: str, data: Path, seed: int = 1) -> Material:
    """Read the data sets in a folder and select the task's clips, split by speaker.

    data: a folder with `digits`, `keywords` and `noise` (any of them, each of a known layout), or
    one data set. All recorded words of other kinds serve as `_unknown_` in training. Raises
    InputError when nothing fits, or a speaker stands in two splits.
    """
    words(name)
    parts = {part: data / part for part in (*_SETS, _NOISE) if (data / part).is_dir()}
    if any(part in parts for part in _SETS):
        speech = [c for part in _SETS if part in parts for c in catalog.load(parts[part])]
        around = catalog.load(parts[_NOISE]) if _NOISE in parts else []
    else:
        speech, around = catalog.load(data), []
    many = {"train": 100.0, "val": 1.5, "test": 1.5}
    selected = task(
        name, speech, around, seed=seed, extra_words=True, unknown_ratio=many,
        silence_ratio={"train": 2.0, "val": 1.0, "test": 1.0},
    )  # fmt: skip
    noise = tuple(c for c in around if c.label not in (NEGATIVE, SILENCE))
    return Material(selected, noise, tuple(c for c in around if c.label == NEGATIVE))


def with_voices(
    material: Material,
    per_word: int,
    cache: Path,
    *,
    seed: int = 1,
    on_clip: Callable[[], None] = lambda: None,
) -> Material:
    """Add `per_word` synthetic clips of each word of all tasks, and a fifth of that of other words.

    Clips are kept in the cache: two tasks share them. Raises ToolError when a voice is missing.
    """
    if not per_word:
        return material
    said = words(material.task.name)
    tables = (TASKS[name] for name in sorted(TASKS, reverse=True))
    spoken = list(dict.fromkeys(w for table in tables for w in table if not w.isdigit()))
    clips = _kept(spoken, per_word, cache, seed, on_clip)
    clips += _kept(OTHER_WORDS, max(1, per_word // 5), cache, seed + 1, on_clip)
    labelled = (replace(c, label=said.get(c.spoken, UNKNOWN)) for c in clips)
    return replace(material, synthetic=tuple(labelled))


def _kept(
    spoken: Sequence[str], per_word: int, cache: Path, seed: int, on_clip: Callable[[], None]
) -> list[Clip]:
    key = hashlib.sha256(json.dumps([list(spoken), per_word, seed]).encode()).hexdigest()[:16]
    folder = cache / key
    if (folder / "manifest.csv").is_file():
        return catalog.load(folder)
    return synthesize(spoken, folder, per_word=per_word, seed=seed, on_clip=on_clip)
