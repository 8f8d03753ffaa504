"""The state of a search: a file of JSON lines, one an evaluation, that a later run goes on from.

The first line names the problem; a file of another problem is refused. A last line without its end
(the run was stopped while it wrote) is dropped.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from edgeasr.errors import InputError
from edgeasr.quantize.mixed import Assignment, Problem, Score

_VERSION = 1


class SearchState:
    """Scores known by assignment, kept in `file` when given.

    `fingerprint` stands for all that scores depend on beside the layers and choices of `problem`:
    model, data, way of quantizing. Raises InputError when the file is of another problem, or when
    a line before the last is damaged.
    """

    def __init__(self, file: Path | None, problem: Problem, fingerprint: str) -> None:
        self._file = file
        self._problem = problem
        self.scores: dict[Assignment, Score] = {}
        if file is None:
            return
        self._header = {
            "edgeasr_search": _VERSION,
            "fingerprint": fingerprint,
            "layers": problem.digest(),
        }
        lines = self._whole_lines(file)
        if not lines:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._append(self._header)
        for number, line in enumerate(lines[1:], 2):
            self._read(number, line)

    def add(self, assignment: Assignment, score: Score) -> None:
        """Remember a score, and write it out at once."""
        self.scores[assignment] = score
        if self._file is not None:
            self._append({"assignment": list(assignment), **asdict(score)})

    def _whole_lines(self, file: Path) -> list[bytes]:
        """Return the lines that have an end, and cut what follows them off the file."""
        data = file.read_bytes() if file.exists() else b""
        end = data.rfind(b"\n") + 1
        lines = data[:end].splitlines()
        if lines:
            self._check_header(lines[0])
        elif not _line(self._header).startswith(data):
            raise self._foreign()
        if end < len(data):
            with file.open("r+b") as stream:
                stream.truncate(end)
        return lines

    def _append(self, facts: dict[str, object]) -> None:
        with self._file.open("ab") as stream:
            stream.write(_line(facts))

    def _check_header(self, line: bytes) -> None:
        try:
            found = json.loads(line)
        except ValueError:
            raise self._foreign() from None
        if not isinstance(found, dict) or "edgeasr_search" not in found:
            raise self._foreign()
        for key, wanted in self._header.items():
            if found.get(key) != wanted:
                raise InputError(
                    f"{self._file}: holds the evaluations of another problem ({key} "
                    f'"{found.get(key)}", this one has "{wanted}"); give another file, or delete it'
                )

    def _foreign(self) -> InputError:
        return InputError(f"{self._file}: this is not the state of a search; give another file")

    def _read(self, number: int, line: bytes) -> None:
        try:
            facts = json.loads(line)
            assignment = tuple(facts.pop("assignment"))
            self._problem.indices(assignment)
            self.scores[assignment] = Score(**facts)
        except (ValueError, TypeError, KeyError, AttributeError, InputError):
            raise InputError(
                f"{self._file}: line {number} is damaged; delete that line, and it is evaluated "
                "again"
            ) from None


def _line(facts: dict[str, object]) -> bytes:
    return json.dumps(facts, allow_nan=False).encode() + b"\n"
