"""A Linux program for another processor: QEMU's user mode, with the cross compiler's libraries.

QEMU is the board's core and no more, so that what the core lacks is met here, not on the board. Its
clock counts instructions, a tick each, where there is a gcc for the plugin that does it.
"""

import platform
from collections.abc import Sequence
from pathlib import Path

from edgeasr.boards import Board
from edgeasr.errors import ToolError
from edgeasr.runners import instruction_clock
from edgeasr.runners.child import Running, spawn
from edgeasr.runners.options import check
from edgeasr.toolchain import require

_NANOSECONDS = 1_000_000_000


def start(board: Board, elf: Path, log: Path) -> Running:
    """Run the program in QEMU, or as it is where the computer has the board's processor."""
    options = check(board, {"emulator": str, "sysroot": str})
    if native(board):
        return spawn([elf.resolve()], log)
    emulator = require(options["emulator"])
    if not Path(options["sysroot"]).is_dir():
        raise ToolError(
            f"{options['sysroot']}: not found; running programs of board {board.name} needs the "
            "libraries that come with its compiler; install them with: apt-get install "
            "libc6-dev-arm64-cross"
        )
    return emulate(board, [emulator, "-L", options["sysroot"]], [elf.resolve()], log)


def native(board: Board) -> bool:
    """Whether the board's programs run on this computer as they are."""
    return platform.machine() == board.compiler.processor


def emulate(
    board: Board, emulator: Sequence[str | Path], program: Sequence[str | Path], log: Path
) -> Running:
    """Run a program with its arguments in QEMU, given with its own; count instructions."""
    argv = [*emulator, "-cpu", board.core]
    plugin = instruction_clock.plugin()
    if plugin is None:
        return spawn([*argv, *program], log)
    argv += ["-plugin", f"{plugin},ns={_NANOSECONDS // board.ticks_hz}"]
    return spawn([*argv, *program], log, count=lambda ticks: ticks)
