"""What the ways to flash share: the job, its steps, and what the programs' messages mean."""

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from edgeasr.boards import Board
from edgeasr.project import Project

Ask = Callable[[str, Sequence[str], str], int]
"""Told what there are several of, which, and the option that names one: returns a number."""


@dataclass(frozen=True)
class Job:
    """Firmware to be written, and where to.

    program: the built program's path. options: of the board's [flash.WAY]. port, probe, host: as
    given, None where they are to be found. dry: nothing is run, and no hardware need be there.
    """

    project: Project
    board: Board
    program: Path
    options: Mapping[str, object]
    ask: Ask
    port: str | None = None
    probe: str | None = None
    host: str | None = None
    dry: bool = False

    @property
    def again(self) -> str:
        """The command that flashes once more."""
        return f"edgeasr flash {shlex.quote(str(self.project.folder))}"


@dataclass(frozen=True)
class Step:
    """A command. does: what, for people. writes: the board is half written while it runs.

    expects: what its output must hold. ready: waits, before it is run, for what the step before
    brings about, and returns the step as it is then.
    """

    does: str
    argv: tuple[str, ...]
    writes: bool = False
    expects: str = ""
    ready: Callable[["Step"], "Step"] | None = None

    @property
    def shown(self) -> str:
        """The command as a shell takes it."""
        return shlex.join(self.argv)


@dataclass(frozen=True)
class Plan:
    """The steps that flash a board.

    finish: looks, after them, whether they took; raises EdgeasrError if not. line: URL of the
    board's line; None where it is to be found by its USB numbers. cures: (pattern, meaning) of what
    the programs print; the first that fits is told. rescue: how a board is flashed that does not
    answer any more.
    """

    steps: tuple[Step, ...]
    cures: tuple[tuple[str, str], ...]
    rescue: str
    finish: Callable[[], None] | None = None
    line: str | None = None
    notes: tuple[str, ...] = field(default=())

    def cure(self, output: str) -> str | None:
        """Return what a program's output means; None where nobody knows."""
        found = (what for pattern, what in self.cures if re.search(pattern, output, re.IGNORECASE))
        return next(found, None)


class Way(Protocol):
    """A module of this package. PROGRAMS: that it runs. OPTIONS, OPTIONAL: of [flash.WAY]."""

    PROGRAMS: tuple[str, ...]
    OPTIONS: Mapping[str, type]
    OPTIONAL: Mapping[str, type]

    def plan(self, job: Job) -> Plan: ...
