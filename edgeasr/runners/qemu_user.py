"""A Linux program for another processor: QEMU's user mode, with the cross compiler's libraries."""

import platform
from pathlib import Path

from edgeasr.boards import Board
from edgeasr.errors import ToolError
from edgeasr.runners.child import Running, spawn
from edgeasr.runners.options import check
from edgeasr.toolchain import require


def start(board: Board, elf: Path, log: Path) -> Running:
    """Run the program in QEMU, or as it is where the computer has the board's processor."""
    options = check(board, {"emulator": str, "sysroot": str})
    if platform.machine() == board.compiler.processor:
        return spawn([elf.resolve()], log)
    emulator = require(options["emulator"])
    if not Path(options["sysroot"]).is_dir():
        raise ToolError(
            f"{options['sysroot']}: not found; running programs of board {board.name} needs the "
            "libraries that come with its compiler; install them with: apt-get install "
            "libc6-dev-arm64-cross"
        )
    return spawn([emulator, "-L", options["sysroot"], elf.resolve()], log)
