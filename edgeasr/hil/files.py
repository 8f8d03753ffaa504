"""Result files: refused before the work where they cannot be written, and never half-written."""

import os
from pathlib import Path

from edgeasr.errors import InputError


def check_writable(path: Path) -> None:
    """Refuse, before the work, a result file whose folder cannot be written."""
    folder = next(p for p in path.absolute().parents if p.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK) or path.is_dir():
        raise InputError(f"{path}: cannot be written; choose a file in a folder of your own")


def write_text(path: Path, text: str) -> None:
    """Write a result file whole or not at all."""
    scratch = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_text(text, encoding="utf-8")
        scratch.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from None
