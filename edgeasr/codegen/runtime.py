"""What Python must know of the C runtime, read from its headers: the one home of these facts."""

import re
from pathlib import Path

from edgeasr import paths

_VERSION = re.compile(r"^#define EAR_RUNTIME_VERSION (\d+)$", re.MULTILINE)


def version_in(folder: Path) -> int:
    """Return the version of the runtime whose headers lie in a folder."""
    match = _VERSION.search((folder / "ear.h").read_text(encoding="utf-8"))
    if match is None:
        raise RuntimeError(f"{folder / 'ear.h'} defines no EAR_RUNTIME_VERSION")
    return int(match[1])


RUNTIME_VERSION = version_in(paths.runtime())
