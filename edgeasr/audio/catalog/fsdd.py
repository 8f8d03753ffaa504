"""The Free Spoken Digit Dataset in its official layout becomes clips, split by speaker.

Layout: recordings/DIGIT_SPEAKER_INDEX.wav, 8 kHz. The official test part is index 0 to 4 of every
speaker, which tests no unseen voice; it is there by name only.
"""

import re
from pathlib import Path

from edgeasr.audio.clip import Clip, assign_splits
from edgeasr.errors import InputError

LICENCE = "CC-BY-SA-4.0"
_NAME = re.compile(r"(\d)_([A-Za-z][A-Za-z0-9-]*)_(\d+)$")
_OFFICIAL_TEST_INDICES = 5


def fits(path: Path) -> bool:
    """True for a folder whose `recordings` are named as in the layout."""
    return any(_NAME.match(file.stem) for file in (path / "recordings").glob("0_*_0.wav"))


def load(path: Path, *, check: bool = True, split: str = "speaker") -> list[Clip]:
    """Return the clips sorted by name.

    split: "speaker" (no speaker in two splits) or "official" (index 0 to 4 is test; every speaker
    stands on both sides, so it is only for comparison with figures that others published). `check`
    changes nothing here: speaker splits are right by how they are made.
    """
    del check
    clips = [_clip(file) for file in sorted((path / "recordings").glob("*.wav"))]
    if not clips:
        raise InputError(f"{path}: recordings/ holds no WAV files; fetch it again")
    if split == "speaker":
        return assign_splits(clips)
    if split == "official":
        return clips
    raise InputError(f'split "{split}" is not known; allowed: speaker, official')


def _clip(file: Path) -> Clip:
    found = _NAME.match(file.stem)
    if not found:
        raise InputError(f"{file}: is not named DIGIT_SPEAKER_INDEX.wav")
    digit, speaker, index = found.groups()
    return Clip(
        path=file,
        label=digit,
        word=digit,
        speaker=f"fsdd:{speaker}",
        split="test" if int(index) < _OFFICIAL_TEST_INDICES else "train",
        source="fsdd",
        licence=LICENCE,
    )
