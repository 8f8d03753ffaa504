"""What Python must know of the C runtime, read from its headers: the one home of these facts."""

import re

from edgeasr import paths

_VERSION = re.compile(r"^#define EAR_RUNTIME_VERSION (\d+)$", re.MULTILINE)


def _runtime_version() -> int:
    match = _VERSION.search((paths.runtime() / "ear.h").read_text())
    if match is None:
        raise RuntimeError("ear.h defines no EAR_RUNTIME_VERSION")
    return int(match[1])


RUNTIME_VERSION = _runtime_version()
