"""Firmware of an RP2040 in rp2040js: the UF2 to flash, UART0 on a socket, cycles counted.

rp2040js.mjs, beside this file, does what the boot ROM does, and gives the line.
"""

from pathlib import Path

from edgeasr.boards import Board
from edgeasr.errors import InputError
from edgeasr.runners.child import CYCLES, Running, spawn
from edgeasr.runners.options import check
from edgeasr.toolchain import npm, require, uf2

SCRIPT = Path(__file__).with_suffix(".mjs")


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
        [node, SCRIPT, npm.rp2040js(), image],
        log,
        line_as=lambda descriptor: (str(descriptor),),
        count=lambda ticks: ticks * cycles_per_tick,
        counted=CYCLES,
    )
