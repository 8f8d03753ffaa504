"""A clip: one labelled recording, or a piece of one; and splits that no speaker crosses."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edgeasr.errors import InputError

SPLITS = ("train", "val", "test")
FRACTIONS: Mapping[str, float] = {"train": 0.7, "val": 0.15, "test": 0.15}


@dataclass(frozen=True)
class Clip:
    """One recording with what is known of it.

    label: the class; word: what is spoken in it, empty where nothing is known beyond the label;
    speaker: `source:name`, empty where unknown; split: one of SPLITS; source: the data set it comes
    from; segment_s: (start, end) in seconds where the clip is a piece of the file; duration_s: of
    the clip, None until somebody has looked.
    """

    path: Path
    label: str
    speaker: str = ""
    split: str = "train"
    source: str = ""
    licence: str = ""
    word: str = ""
    duration_s: float | None = None
    segment_s: tuple[float, float] | None = None
    synthetic: bool = False

    @property
    def id(self) -> str:
        """Name that is the same on every computer, for seeds and for reports."""
        piece = f"@{self.segment_s[0]:g}" if self.segment_s else ""
        return f"{self.source}:{self.path.parent.name}/{self.path.name}{piece}"

    @property
    def spoken(self) -> str:
        """What is said: the word where the source gives one, else the label."""
        return self.word or self.label


def rank(seed: int, name: str) -> int:
    """Return a number that orders names the same way on every computer, differently per seed."""
    return int.from_bytes(hashlib.sha256(f"{seed}\0{name}".encode()).digest()[:8], "big")


def assign_splits(
    clips: Iterable[Clip],
    seed: int = 1,
    fractions: Mapping[str, float] = FRACTIONS,
    *,
    unknown_speakers: str = "train",
) -> list[Clip]:
    """Return the clips with splits in which no speaker stands twice.

    Speakers are ordered by a hash of seed and name and dealt out until each split has its fraction
    of the clips (of those whose speaker is known); with three speakers or more no split of a
    positive fraction is empty. Synthetic clips go to train, and so do clips of unknown speakers,
    which with unknown_speakers="each" count as a speaker each: for recordings of many people.
    """
    clips = list(clips)
    groups: dict[str, list[int]] = defaultdict(list)
    for index, clip in enumerate(clips):
        speaker = clip.speaker or (clip.id if unknown_speakers == "each" else "")
        groups["" if clip.synthetic else speaker].append(index)
    splits = ["train"] * len(clips)
    groups.pop("", None)
    order = sorted(groups, key=lambda name: rank(seed, name))
    for name, split in _deal([(name, len(groups[name])) for name in order], fractions).items():
        for index in groups[name]:
            splits[index] = split
    return [replace(clip, split=split) for clip, split in zip(clips, splits, strict=True)]


def _deal(speakers: Sequence[tuple[str, int]], fractions: Mapping[str, float]) -> dict[str, str]:
    """Give each speaker, in order, to the split that lacks the largest part of its share."""
    wanted = {split: part for split, part in fractions.items() if part > 0}
    if not wanted or not set(wanted) <= set(SPLITS):
        raise InputError(f"splits {sorted(fractions)} are not usable; allowed: {', '.join(SPLITS)}")
    total = sum(wanted.values())
    clips = sum(count for _, count in speakers)
    have = dict.fromkeys(wanted, 0)
    dealt = {}
    for name, count in speakers:
        empty = [s for s in wanted if s not in dealt.values()]
        left = len(speakers) - len(dealt)
        choice = empty if empty and left <= len(empty) else list(wanted)
        split = max(choice, key=lambda s: wanted[s] / total * clips - have[s])
        dealt[name] = split
        have[split] += count
    return dealt


def crossing_speakers(clips: Iterable[Clip]) -> dict[str, list[str]]:
    """Return the speakers that stand in more than one split, each with its splits."""
    seen: dict[str, set[str]] = defaultdict(set)
    for clip in clips:
        if clip.speaker:
            seen[clip.speaker].add(clip.split)
    return {name: sorted(found) for name, found in sorted(seen.items()) if len(found) > 1}


def check_splits(clips: Iterable[Clip], where: str) -> None:
    """Raise InputError, naming the speaker, when a speaker stands in two splits."""
    crossing = crossing_speakers(clips)
    if crossing:
        name, splits = next(iter(crossing.items()))
        more = f" (and {len(crossing) - 1} more)" if len(crossing) > 1 else ""
        raise InputError(
            f'{where}: speaker "{name}" stands in {" and ".join(splits)}{more}; a speaker may be '
            "in one split only, or the test measures memory; correct the split column, or leave it "
            "out to have splits assigned by speaker"
        )
