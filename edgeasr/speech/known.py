"""What edgeasr knows of public models: facts in `known/*.toml`, by the SHA-256 of the model's file.

Facts alone, nothing of the models themselves. Each file names its source.
"""

import functools
import tomllib
from collections.abc import Mapping
from pathlib import Path

_FOLDER = Path(__file__).with_name("known")


@functools.cache
def index() -> Mapping[str, Mapping[str, object]]:
    """Return all known facts, not checked, by the SHA-256 of the model's file in hex."""
    found = {}
    for path in sorted(_FOLDER.glob("*.toml")):
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        found[raw.pop("sha256")] = raw
    return found


def find(sha256: str) -> Mapping[str, object] | None:
    """Return the facts of the model whose file has this hash, or None."""
    return index().get(sha256)
