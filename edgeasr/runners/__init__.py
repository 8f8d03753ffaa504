"""A built program becomes a running one with a line to it. Boards name their runner by a string."""

from collections.abc import Sequence
from pathlib import Path

from edgeasr.boards import Board
from edgeasr.codegen import tflite
from edgeasr.errors import InputError, alternatives
from edgeasr.runners import native, python, qemu_system, qemu_user, renode, rp2040js
from edgeasr.runners.child import CYCLES, INSTRUCTIONS, Running

__all__ = ["CYCLES", "INSTRUCTIONS", "RUNNERS", "Running", "start", "start_python"]

RUNNERS = {
    "native": native.start,
    "qemu_system": qemu_system.start,
    "qemu_user": qemu_user.start,
    "renode": renode.start,
    "rp2040js": rp2040js.start,
}


def start(folder: Path, board: Board, elf: Path) -> Running:
    """Run program `elf` of the project in `folder` as the board would; use it in a `with`.

    Raises InputError when the board's runner is unknown, ToolError when its program is missing or
    ends at once. The runner's messages go to build/runner.log in the project.
    """
    if board.runner is None:
        raise InputError(
            f"board {board.name}: no simulator runs its firmware; flash it, and name its port: "
            "--port, such as --port /dev/ttyACM0"
        )
    if board.runner not in RUNNERS:
        raise InputError(
            f'board {board.name}: runner "{board.runner}" not found; '
            f"{alternatives(board.runner, RUNNERS)}"
        )
    return RUNNERS[board.runner](board, elf, _log(folder))


def start_python(folder: Path, board: Board, library: Path, arguments: Sequence[str]) -> Running:
    """Run the project's Python program with its built library, as `start` does."""
    program = [folder / tflite.PROGRAM, "--library", library, *arguments]
    return python.start(board, program, _log(folder))


def _log(folder: Path) -> Path:
    log = folder / "build" / "runner.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    return log
