"""A folder of classes becomes clips: LABEL/*.wav, SPLIT/LABEL/*.wav or LABEL/SPEAKER/*.wav."""

import re
from collections.abc import Iterator
from pathlib import Path

from edgeasr.audio.catalog import manifest
from edgeasr.audio.clip import SPLITS, Clip, assign_splits, check_splits
from edgeasr.audio.pcm import SUFFIXES
from edgeasr.errors import InputError

# Speech Commands' names: all before _nohash_ is the speaker.
_NOHASH = re.compile(r"(?P<speaker>[0-9A-Za-z]+)_nohash_\d+$")


def fits(path: Path) -> bool:
    """True for a folder that has audio files in its subfolders."""
    return path.is_dir() and next(_files(path), None) is not None


def load(path: Path, *, check: bool = True, speaker: str = "") -> list[Clip]:
    """Return the folder's clips, sorted by path; a label is the name of a folder.

    speaker: a regular expression searched in a file's path below its label, whose first group is
    the speaker; without it, the subfolder's name or the part before `_nohash_`. Files whose speaker
    is not known all go to train, where they can harm no test.
    """
    if not path.is_dir():
        raise InputError(f"{path}: is not a folder; give one that holds a folder per class")
    divided = any((path / split).is_dir() for split in SPLITS)
    clips = [_clip(path, file, divided, speaker) for file in sorted(_files(path))]
    if not clips:
        raise InputError(f"{path}: holds no recordings; put them in one folder per class")
    if not divided:
        return assign_splits(clips)
    if check:
        check_splits(clips, str(path))
    return clips


def _files(path: Path) -> Iterator[Path]:
    for file in path.glob("*/**/*"):
        hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
        if file.suffix.lower() in SUFFIXES and not hidden and file.is_file():
            yield file


def _clip(root: Path, file: Path, divided: bool, pattern: str) -> Clip:
    parts = list(file.relative_to(root).parts)
    split = parts.pop(0) if divided and parts[0] in SPLITS else ""
    if len(parts) < 2:
        raise InputError(f"{file}: stands beside the classes; put it in the folder of its class")
    name = manifest.label(parts[0], str(file.parent))
    who = _speaker("/".join(parts[1:]), pattern)
    return Clip(
        path=file,
        label=name,
        speaker=f"{root.name}:{who}" if who else "",
        split=split or "train",
        source=root.name,
    )


def _speaker(below: str, pattern: str) -> str:
    if pattern:
        found = re.search(pattern, below)
        return (found[1] if found.re.groups else found[0]) if found else ""
    if found := _NOHASH.search(Path(below).stem):
        return found["speaker"]
    return below.split("/", 1)[0] if "/" in below else ""
