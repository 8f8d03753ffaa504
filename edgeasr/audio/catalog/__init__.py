"""Data sets on disk, each layout in its module: a path becomes clips with splits by speaker."""

from collections.abc import Callable
from pathlib import Path

from edgeasr.audio.catalog import audiomnist, folder, fsdd, manifest, speech_commands
from edgeasr.audio.clip import Clip
from edgeasr.errors import InputError, alternatives

# The order matters: a folder of classes is what is left when nothing more exact fits.
LAYOUTS = {
    "manifest": manifest,
    "speech_commands": speech_commands,
    "fsdd": fsdd,
    "audiomnist": audiomnist,
    "folder": folder,
}


def detect(path: Path) -> str:
    """Return the name of the layout that the file or folder has; InputError when it has none."""
    if not path.exists():
        raise InputError(
            f"{path}: no such file or folder; give a manifest CSV, a folder of classes, or a "
            "public data set (see 'edgeasr data list')"
        )
    for name, module in LAYOUTS.items():
        if module.fits(path):
            return name
    raise InputError(
        f"{path}: holds no recordings in a known layout; known are a manifest CSV (columns file, "
        "label), a folder of classes (LABEL/*.wav), Speech Commands, Free Spoken Digit Dataset, "
        "AudioMNIST"
    )


def load(path: Path | str, layout: str | None = None, *, check: bool = True) -> list[Clip]:
    """Return the clips at `path`, in a fixed order, with splits that no speaker crosses.

    layout: a name of LAYOUTS, found by looking when None. With check=False speakers in two splits
    are let through, for a report on them.
    """
    path = Path(path)
    name = layout or detect(path)
    if name not in LAYOUTS:
        raise InputError(f'layout "{name}" is not known; {alternatives(name, LAYOUTS)}')
    load_layout: Callable[..., list[Clip]] = LAYOUTS[name].load
    return load_layout(path, check=check)
