"""What Python must know of the C runtime, read from its headers: the one home of these facts."""

import re

from edgeasr import paths

_VERSION = re.compile(r"^#define EAR_RUNTIME_VERSION (\d+)$", re.MULTILINE)


def _version() -> int:
    header = paths.runtime() / "ear.h"
    match = _VERSION.search(header.read_text(encoding="utf-8"))
    if match is None:
        raise RuntimeError(f"{header} defines no EAR_RUNTIME_VERSION")
    return int(match[1])


RUNTIME_VERSION = _version()
