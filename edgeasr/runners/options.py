"""The part of a board's [runner] table that its runner understands."""

from collections.abc import Mapping

from edgeasr.boards import Board, check_options


def check(board: Board, expected: Mapping[str, type]) -> Mapping[str, object]:
    """Return the options once each one expected is there, of its type, and none is unknown."""
    where = f"board {board.name}: runner"
    return check_options(board.runner_options, expected, where, f"runner {board.runner}")
