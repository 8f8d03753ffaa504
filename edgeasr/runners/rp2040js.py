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
    _check_image(board, image)
    node = require("node")
    cycles_per_tick = board.constants["cpu_hz"] // board.ticks_hz
    return spawn(
        [node, SCRIPT, npm.rp2040js(), image],
        log,
        line_as=lambda descriptor: (str(descriptor),),
        count=lambda ticks: ticks * cycles_per_tick,
        counted=CYCLES,
    )


def _check_image(board: Board, image: Path) -> None:
    """Raise InputError unless the file is for the board: its family, and its flash."""
    family, pages = uf2.parse(image.read_bytes(), where=str(image))
    if family != (wanted := uf2.family(board)):
        raise InputError(
            f"{image}: is for family 0x{family:08x}, board {board.name} is of 0x{wanted:08x}; "
            "build it for this board"
        )
    code = board.memory["code"]
    for address, page in pages:
        if not code.origin <= address <= code.end - len(page):
            raise InputError(
                f"{image}: writes to 0x{address:08x}; the flash of board {board.name} is "
                f"0x{code.origin:08x} to 0x{code.end:08x}"
            )
