"""The errors that people see: one sentence each, with the exit code of the command that met it.

Shape of a message: `where: what, with the value; what is allowed; what to do`.
"""

import difflib
from collections.abc import Iterable


class EdgeasrError(Exception):
    """Base of all errors meant for people; anything else is a bug and keeps its traceback."""

    exit_code = 1


class CheckError(EdgeasrError):
    """A check or a budget failed: agreement, size, accuracy."""

    exit_code = 1


class InputError(EdgeasrError):
    """A file, an argument or a board is not usable as given."""

    exit_code = 2


class ToolError(EdgeasrError):
    """A program is missing or failed."""

    exit_code = 3


class LinkError(EdgeasrError):
    """The line to the device, or the device at its end, did not do what was asked."""

    exit_code = 4


def alternatives(wanted: str, allowed: Iterable[str]) -> str:
    """Say what could have been meant: all of `allowed` up to ten, else the nearest three."""
    names = sorted(allowed)
    if len(names) <= 10:
        return "allowed: " + ", ".join(names) if names else "none are available"
    near = difflib.get_close_matches(wanted, names, n=3, cutoff=0.5)
    return (
        f"did you mean {' or '.join(chr(34) + n + chr(34) for n in near)}?"
        if near
        else (f"{len(names)} are allowed")
    )
