"""The package of npm that is used: rp2040js, a Raspberry Pi Pico for Node.js.

`tools/setup test` puts the locked one into tools/npm of a clone.
"""

import json
import os
from pathlib import Path

from edgeasr import paths
from edgeasr.errors import ToolError

# The one that tools/npm/package-lock.json has.
VERSION = "1.4.1"
# Folder of the package, where it is not that of a clone.
VARIABLE = "EDGEASR_RP2040JS"

INSTALL = (
    "tools/setup test, in a clone; elsewhere npm install --prefix ~/.local/share/edgeasr "
    f"rp2040js@{VERSION}, and set {VARIABLE} to its folder node_modules/rp2040js there"
)


def rp2040js() -> Path:
    """Return the folder of rp2040js; ToolError when it is missing, or another version."""
    chosen = os.environ.get(VARIABLE)
    folder = Path(chosen) if chosen else paths.clone() / "tools/npm/node_modules/rp2040js"
    try:
        found = json.loads((folder / "package.json").read_text(encoding="utf-8"))["version"]
    except (OSError, ValueError, KeyError, TypeError):
        raise ToolError(
            f"{folder}: no npm package rp2040js, which runs firmware of the Raspberry Pi Pico; "
            f"install: {INSTALL}"
        ) from None
    if found != VERSION:
        raise ToolError(
            f"{folder}: rp2040js {found}; edgeasr runs firmware with {VERSION}; install: {INSTALL}"
        )
    return folder
