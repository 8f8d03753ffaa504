"""Renode, which no registry has: where it is, and how to get it."""

import os
import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path

from edgeasr import paths
from edgeasr.errors import InputError, ToolError

VARIABLE = "RENODE_PATH"


def find(environment: Mapping[str, str] = os.environ) -> Path:
    """Return Renode's program: of $RENODE_PATH, of the user's configuration, or on PATH.

    The first two may name the program or its folder. Raises ToolError when there is none.
    """
    for where, path in _told(environment):
        program = path / "renode" if path.is_dir() else path
        if not os.access(program, os.X_OK) or program.is_dir():
            raise ToolError(f"{where}: {program} is no program; {how_to_get()}")
        return program.absolute()
    if found := shutil.which("renode", path=environment.get("PATH")):
        return Path(found)
    raise ToolError(
        f"renode: not found on PATH; the simulation of this board needs it; {how_to_get()}"
    )


def how_to_get() -> str:
    """Return what to do to have Renode."""
    return (
        f"download the portable build of https://renode.io, unpack it, and set {VARIABLE} to its "
        f'folder, or put [programs] renode = "FOLDER" into {paths.configuration()}'
    )


def _told(environment: Mapping[str, str]) -> list[tuple[str, Path]]:
    if chosen := environment.get(VARIABLE):
        return [(f"${VARIABLE}", Path(chosen).expanduser())]
    file = paths.configuration()
    if not file.is_file():
        return []
    try:
        chosen = tomllib.loads(file.read_text(encoding="utf-8")).get("programs", {}).get("renode")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, AttributeError) as error:
        raise InputError(f"{file}: cannot be used: {error}") from None
    if chosen is None:
        return []
    if not isinstance(chosen, str):
        raise InputError(f"{file}: programs.renode is {chosen!r}; it must be a text")
    return [(f"{file}: programs.renode", Path(chosen).expanduser())]
