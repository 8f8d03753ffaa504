"""Runtime files that a kernel needs: its own, and whatever these include, transitively."""

import functools
import re

from edgeasr import paths

_INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


@functools.cache
def closure(name: str) -> tuple[str, ...]:
    """Return the names of all runtime files behind file `name`, itself included, sorted.

    A header `ear_x.h` brings `ear_x.c` along where there is one. Files that the runtime folder
    does not hold (generated ones) are left out.
    """
    found: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        path = paths.runtime() / current
        if current in found or not path.is_file():
            continue
        found.add(current)
        waiting += _INCLUDE.findall(path.read_text())
        if path.suffix == ".h":
            waiting.append(path.with_suffix(".c").name)
    return tuple(sorted(found))
