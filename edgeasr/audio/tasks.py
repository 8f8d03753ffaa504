"""Clips of data sets become the labelled clips of a task: its words, `_unknown_`, `_silence_`."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from edgeasr.audio.clip import SPLITS, Clip, check_splits, rank
from edgeasr.audio.pcm import duration_s
from edgeasr.errors import InputError, alternatives
from edgeasr.speech import SILENCE, UNKNOWN

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_KEYWORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
# Task: what is spoken -> label.
TASKS: Mapping[str, Mapping[str, str]] = {
    "digits": {said: str(n) for n, word in enumerate(_DIGITS) for said in (str(n), word)},
    "keywords": {word: word for word in _KEYWORDS},
}
# How many clips of _unknown_ and _silence_ a split gets, in mean numbers of clips per word. Unknown
# words are of endless kinds, so training sees more of them.
UNKNOWN_RATIO: Mapping[str, float] = {"train": 4.0, "val": 1.5, "test": 1.5}
SILENCE_RATIO: Mapping[str, float] = {"train": 1.0, "val": 1.0, "test": 1.0}
# Speech, although it is nobody's word: never silence.
_SPEECH_LABELS = frozenset({"_negative_speech_"})
# Labels that are noise in a catalog of words too.
_NOISE_LABELS = frozenset({SILENCE, "_background_noise_"})
_SEGMENT_S = 1.0


@dataclass(frozen=True)
class Task:
    """labels: `_silence_`, `_unknown_`, then the words; clips: each with one of these labels."""

    name: str
    labels: tuple[str, ...]
    clips: tuple[Clip, ...]

    def split(self, name: str) -> list[Clip]:
        """Return the clips of one split, in a fixed order."""
        return [clip for clip in self.clips if clip.split == name]

    def counts(self) -> dict[str, dict[str, int]]:
        """Return label -> split -> number of clips."""
        found = Counter((clip.label, clip.split) for clip in self.clips)
        return {label: {split: found[label, split] for split in SPLITS} for label in self.labels}

    def index(self, clip: Clip) -> int:
        """Return the place of the clip's label in the model's output."""
        return self.labels.index(clip.label)


def words(name: str) -> dict[str, str]:
    """Return what is spoken -> label of a task; InputError for a task that does not exist."""
    if name not in TASKS:
        raise InputError(f'task "{name}" is not known; {alternatives(name, TASKS)}')
    return dict(TASKS[name])


def task(
    name: str,
    speech: Iterable[Clip],
    noise: Iterable[Clip] = (),
    *,
    seed: int = 1,
    extra_words: bool = False,
    unknown_ratio: Mapping[str, float] = UNKNOWN_RATIO,
    silence_ratio: Mapping[str, float] = SILENCE_RATIO,
) -> Task:
    """Select the clips of task "digits" or "keywords" from the clips of one or more catalogs.

    What is spoken decides, not the label: "six" under `_unknown_` of a keyword set is a 6 among
    digits. A file named by two catalogs counts once. Clips of unknown speakers stay out, since no
    split can be shown to be free of them; so do other words of sources that hold none of the task's
    words, unless extra_words. `_unknown_` is balanced over its words; `_silence_` takes recordings
    labelled so, then one-second pieces of `noise` (and of background noise in `speech`), each in
    its own split. Raises InputError when a speaker stands in two splits, or a synthetic voice in
    another than train.
    """
    said = words(name)
    recordings = _unique(speech)
    known = [c for c in recordings if c.speaker]
    targets = [replace(c, label=said[c.spoken]) for c in known if c.spoken in said]
    if not targets:
        raise InputError(f'no recording of the words of task "{name}" is among the clips given')
    sources = {c.source for c in targets}
    others = [c for c in known if c.spoken not in said and (extra_words or c.source in sources)]
    inside = [c for c in recordings if c.label in _NOISE_LABELS]
    ambient = [c for c in _unique([*noise, *inside]) if c.label not in _SPEECH_LABELS]
    labels, clips = tuple(dict.fromkeys(said.values())), list(targets)
    for split in SPLITS:
        per_word = sum(c.split == split for c in targets) / len(labels)
        pool = [c for c in others if c.split == split]
        clips += _unknown(pool, round(per_word * unknown_ratio[split]), seed)
        quiet = [c for c in ambient if c.split == split]
        clips += _silence(quiet, round(per_word * silence_ratio[split]), seed)
    check_splits(clips, f"task {name}")
    _check_synthetic(clips)
    return Task(name, (SILENCE, UNKNOWN, *labels), tuple(clips))


def _check_synthetic(clips: Sequence[Clip]) -> None:
    for clip in clips:
        if clip.synthetic and clip.split != "train":
            raise InputError(f"{clip.path}: is synthetic and stands in {clip.split}; synthetic "
                             "voices may widen training only")  # fmt: skip


def _unique(clips: Iterable[Clip]) -> list[Clip]:
    found: dict[object, Clip] = {}
    for clip in clips:
        found.setdefault((clip.path.resolve(), clip.segment_s), clip)
    return list(found.values())


def _unknown(pool: Sequence[Clip], wanted: int, seed: int) -> list[Clip]:
    """Take clips word by word in turn, so that frequent words do not crowd out rare ones."""
    by_word: dict[str, list[Clip]] = defaultdict(list)
    for clip in sorted(pool, key=lambda c: rank(seed, c.id)):
        by_word[clip.spoken].append(clip)
    turns = ((turn, word) for word in sorted(by_word) for turn in range(len(by_word[word])))
    order = sorted(turns, key=lambda t: (t[0], rank(seed, t[1])))[:wanted]
    return [replace(by_word[word][turn], label=UNKNOWN) for turn, word in order]


def _silence(ambient: Sequence[Clip], wanted: int, seed: int) -> list[Clip]:
    ready = [c for c in ambient if c.label == SILENCE]
    ready = sorted(ready, key=lambda c: rank(seed, c.id))[:wanted]
    if len(ready) == wanted:
        return ready
    long = (c for c in ambient if c.label != SILENCE)
    pieces = sorted((p for c in long for p in _pieces(c)), key=lambda p: rank(seed, p.id))
    return ready + pieces[: wanted - len(ready)]


def _pieces(clip: Clip) -> list[Clip]:
    """Cut a recording of noise into pieces of one second that do not overlap."""
    start, end = clip.segment_s or (0.0, clip.duration_s or duration_s(clip.path))
    count = int((end - start - 1e-3) / _SEGMENT_S)
    bounds = [(start + n * _SEGMENT_S, start + (n + 1) * _SEGMENT_S) for n in range(count)]
    return [replace(clip, label=SILENCE, segment_s=b, duration_s=_SEGMENT_S) for b in bounds]
