"""Firmware of an RP2040 in rp2040js: the UF2 to flash, UART0 on a socket, cycles counted.

rp2040js is a package of npm for Node.js; `tools/setup test` puts the locked one into tools/npm of a
clone. rp2040js.mjs, beside this file, does what the boot ROM does, and gives the line.
"""

import json
import os
from pathlib import Path

from edgeasr import paths
from edgeasr.boards import Board
from edgeasr.errors import InputError, ToolError
from edgeasr.runners.child import CYCLES, Running, spawn
from edgeasr.runners.options import check
from edgeasr.toolchain import require, uf2

# The one that tools/npm/package-lock.json has.
VERSION = "1.4.1"
# Folder of the package, where it is not that of a clone.
VARIABLE = "EDGEASR_RP2040JS"

_SCRIPT = Path(__file__).with_suffix(".mjs")


def start(board: Board, elf: Path, log: Path) -> Running:
    """Run the UF2 beside the program."""
    check(board, {})
    image = elf.with_suffix(uf2.SUFFIX).resolve()
    if not image.is_file():
        raise InputError(
            f"{image}: not found; runner rp2040js runs what one would flash: build with "
            "'edgeasr build', for a board with [flash.uf2]"
        )
    node = require("node")
    cycles_per_tick = board.constants["cpu_hz"] // board.ticks_hz
    return spawn(
        [node, _SCRIPT, package(), image],
        log,
        line_as=lambda descriptor: (str(descriptor),),
        count=lambda ticks: ticks * cycles_per_tick,
        counted=CYCLES,
    )


def package() -> Path:
    """Return the folder of rp2040js; ToolError when it is missing, or another version."""
    chosen = os.environ.get(VARIABLE)
    folder = Path(chosen) if chosen else paths.clone() / "tools/npm/node_modules/rp2040js"
    cure = (
        "in a clone, run: tools/setup test; elsewhere: npm install --prefix "
        f"~/.local/share/edgeasr rp2040js@{VERSION}, and set {VARIABLE} to its folder "
        "node_modules/rp2040js there"
    )
    try:
        found = json.loads((folder / "package.json").read_text(encoding="utf-8"))["version"]
    except (OSError, ValueError, KeyError, TypeError):
        raise ToolError(
            f"{folder}: no npm package rp2040js, which runs firmware of an RP2040; {cure}"
        ) from None
    if found != VERSION:
        raise ToolError(f"{folder}: rp2040js {found}; the firmware is run by {VERSION}; {cure}")
    return folder
