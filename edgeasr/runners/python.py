"""The Python program of the engine tflite: on this computer, or as on a Raspberry Pi in QEMU."""

import sys
from collections.abc import Sequence
from pathlib import Path

from edgeasr.boards import Board
from edgeasr.errors import InputError
from edgeasr.runners import qemu_user
from edgeasr.runners.child import Running, spawn
from edgeasr.toolchain import require
from edgeasr.toolchain.sysroot import sysroot

_READY_TIMEOUT_S = 120.0


def start(board: Board, program: Sequence[str | Path], log: Path) -> Running:
    """Run python/listen.py of a project, given with its arguments.

    A board that this computer emulates gets a Raspberry Pi's Python, which is put together at the
    first use; ToolError where that fails.
    """
    if board.runner == "native" or qemu_user.native(board):
        return _ready(spawn([sys.executable, *program], log))
    if board.runner != "qemu_user":
        raise InputError(
            f"board {board.name}: nothing here runs its Python; give the --port of one that does"
        )
    emulator, made = require(board.runner_options["emulator"]), sysroot()
    argv = [emulator, "-L", made.root, "-E", f"PYTHONPATH={made.site}"]
    return _ready(qemu_user.emulate(board, argv, [made.python, "-S", *program], log))


def _ready(running: Running) -> Running:
    """Wait until the program serves its line: Python and the runtime take their time."""
    running.wait_until_said("ready", _READY_TIMEOUT_S)
    return running
