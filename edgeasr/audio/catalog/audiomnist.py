"""AudioMNIST in its official layout becomes clips, split by speaker.

Layout: data/NN/DIGIT_NN_INDEX.wav, 48 kHz, 60 speakers of 500 clips, and data/audioMNIST_meta.txt,
a JSON object of speakers (arXiv:1807.03418).
"""

import json
import re
from pathlib import Path

from edgeasr.audio.clip import Clip, assign_splits
from edgeasr.errors import InputError

LICENCE = "MIT (AudioMNIST, S. Becker et al.)"
_META = "audioMNIST_meta.txt"
_NAME = re.compile(r"(\d)_(\d\d)_(\d+)$")


def fits(path: Path) -> bool:
    """True for the repository's folder and for its `data`."""
    return _meta(path) is not None


def load(path: Path, *, check: bool = True) -> list[Clip]:
    """Return the clips sorted by speaker and name; `check` changes nothing, see fsdd."""
    del check
    meta = _meta(path)
    if meta is None:
        raise InputError(f"{path}: has no {_META}; AudioMNIST has it in data/")
    speakers = _speakers(meta)
    clips = [_clip(file, speakers) for file in sorted(meta.parent.glob("[0-9][0-9]/*.wav"))]
    if not clips:
        raise InputError(f"{meta.parent}: holds no recordings (NN/DIGIT_NN_INDEX.wav)")
    return assign_splits(clips)


def _meta(path: Path) -> Path | None:
    return next((f for f in (path / "data" / _META, path / _META) if f.is_file()), None)


def _speakers(meta: Path) -> frozenset[str]:
    try:
        table = json.loads(meta.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{meta}: is not readable as JSON ({error}); fetch it again") from None
    if not isinstance(table, dict):
        raise InputError(f"{meta}: is not a JSON object of speakers; fetch it again")
    return frozenset(table)


def _clip(file: Path, speakers: frozenset[str]) -> Clip:
    found = _NAME.match(file.stem)
    if not found or found[2] != file.parent.name:
        raise InputError(f"{file}: is not named DIGIT_{file.parent.name}_INDEX.wav")
    if found[2] not in speakers:
        raise InputError(f"{file}: speaker {found[2]} is not in {_META}")
    return Clip(path=file, label=found[1], word=found[1], speaker=f"audiomnist:{found[2]}",
                source="audiomnist", licence=LICENCE)  # fmt: skip
