"""A program for this computer: a child whose stdin and stdout are the line."""

from pathlib import Path

from edgeasr.boards import Board
from edgeasr.runners.child import Running, spawn
from edgeasr.runners.options import check


def start(board: Board, elf: Path, log: Path) -> Running:
    """Run the program."""
    check(board, {})
    return spawn([elf.resolve()], log)
