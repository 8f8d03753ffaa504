"""The part of a board's [runner] table that its runner understands."""

from collections.abc import Mapping

from edgeasr.boards import Board
from edgeasr.errors import InputError, alternatives


def check(board: Board, expected: Mapping[str, type]) -> Mapping[str, object]:
    """Return the options once each one expected is there, of its type, and none is unknown."""
    where = f"board {board.name}: runner"
    for key, kind in expected.items():
        if key not in board.runner_options:
            raise InputError(f"{where}.{key} is missing; runner {board.runner} needs it")
        value = board.runner_options[key]
        if type(value) is not kind:
            raise InputError(f"{where}.{key} is {value!r}; it must be of type {kind.__name__}")
    for key in board.runner_options:
        if key not in expected:
            raise InputError(f"{where}.{key} is unknown; {alternatives(key, expected)}")
    return board.runner_options
