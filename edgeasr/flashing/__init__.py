"""Built firmware onto a real board: by OpenOCD, pyOCD, UF2, picotool, BOSSA or ssh.

A board file names its ways in [flash.WAY], the best first; each way is a module that turns a job
into commands. Those are all that touches the board, and a dry run prints just them.
"""

import dataclasses
import os
import shutil
from collections.abc import Callable, Mapping, Sequence

from edgeasr import boards, process, toolchain
from edgeasr.boards import Board
from edgeasr.errors import EdgeasrError, InputError, LinkError, ToolError, alternatives
from edgeasr.flashing import bossa, openocd, picotool, pyocd, ssh, uf2
from edgeasr.flashing.way import Ask, Job, Plan, Step, Way
from edgeasr.project import PYTHON_ENGINES, Project

__all__ = ["WAYS", "Ask", "Job", "Plan", "Step", "carry_out", "choose", "missing", "plan", "refuse"]

WAYS: Mapping[str, Way] = {
    "openocd": openocd,
    "pyocd": pyocd,
    "uf2": uf2,
    "picotool": picotool,
    "bossa": bossa,
    "ssh": ssh,
}

_TIMEOUT_S = 180.0


def refuse(what: str, found: Sequence[str], option: str) -> int:
    """Refuse to choose: several were found, and nobody is there to be asked."""
    raise InputError(f"{len(found)} {what} are here: {'; '.join(found)}; choose with {option}")


def missing(way: str) -> list[str]:
    """Return the programs that a way needs and that are not here."""
    return [program for program in WAYS[way].PROGRAMS if shutil.which(program) is None]


def choose(board: Board, wanted: str | None = None, *, dry: bool = False) -> str:
    """Return the way to flash a board: `wanted`, or its first whose programs are here.

    A dry run, which needs no program, takes the first of all where none is here. Raises InputError
    when the board has no such way, ToolError when programs are missing.
    """
    if not board.flash:
        raise InputError(
            f"board {board.name}: is not flashed; 'edgeasr run' and 'edgeasr hil' run its firmware"
            if board.runner
            else f"board {board.name}: its file names no way to flash it; add a table [flash.WAY], "
            f"WAY one of {', '.join(sorted(WAYS))}"
        )
    for way in board.flash:
        if way not in WAYS:
            raise InputError(f"board {board.name}: flash.{way}: {alternatives(way, WAYS)}")
    if wanted is not None and wanted not in board.flash:
        raise InputError(
            f"board {board.name}: is not flashed with {wanted}; {alternatives(wanted, board.flash)}"
        )
    ways = [wanted] if wanted else list(board.flash)
    for way in ways:
        if not missing(way):
            return way
    if dry:
        return ways[0]
    lacking = [
        f"{way} needs {program} (install: {toolchain.tool(program).install})"
        for way in ways
        for program in missing(way)
    ]
    raise ToolError(f"board {board.name}: nothing here can flash it: {'; '.join(lacking)}")


def plan(
    project: Project,
    *,
    way: str | None = None,
    port: str | None = None,
    probe: str | None = None,
    host: str | None = None,
    remove: bool = False,
    dry: bool = False,
    ask: Ask = refuse,
) -> Plan:
    """Return the commands that flash a built project.

    way: as `choose` takes it. port, probe, host: which of several; found by themselves where there
    is one. remove: take the program off again, where the way can. dry: look for nothing, and let
    the program be unbuilt.

    Raises InputError for a project or a board that cannot be flashed so, ToolError for a missing
    program, LinkError for a board or probe that is not there or may not be used.
    """
    board = boards.of_project(project.folder, project.manifest.board)
    chosen = choose(board, way, dry=dry)
    if project.manifest.engine in PYTHON_ENGINES:
        raise InputError(
            f"{project.folder}: its program is Python, which is copied and started as its "
            "README.md says; flash writes C programs, of the engines ear and tflm"
        )
    module = WAYS[chosen]
    where = f"board {board.name}: flash.{chosen}"
    options = boards.check_options(
        board.flash[chosen], module.OPTIONS, where, f"flashing with {chosen}", module.OPTIONAL
    )
    if not dry and not remove:
        toolchain.find_built(project.folder)
    job = Job(
        project=project,
        board=board,
        program=toolchain.program_path(project, board),
        options=options,
        ask=ask,
        port=port,
        probe=probe,
        host=host,
        dry=dry,
    )
    if not remove:
        return _with_rescue(module.plan(job), job)
    if not hasattr(module, "removal"):
        raise InputError(
            f"board {board.name}: a program is removed by flashing another; --remove is for boards "
            "whose program is a service (ssh)"
        )
    return module.removal(job)


def _with_rescue(made: Plan, job: Job) -> Plan:
    rescue = f"flash it again: {job.again}"
    return dataclasses.replace(made, rescue=f"{rescue} ({made.rescue})" if made.rescue else rescue)


def carry_out(made: Plan, on_step: Callable[[str], None] = lambda text: None) -> None:
    """Run a plan's commands; on_step hears each, and what state the board is in on Ctrl-C.

    Raises ToolError with what a program said, what it means, and how to go on.
    """
    total = len(made.steps)
    for number, step in enumerate(made.steps, start=1):
        state = _state(step, number, total)
        try:
            step = step.ready(step) if step.ready else step
            on_step(f"[{number}/{total}] {step.does}: {step.shown}")
            # The messages that the cures know are in English.
            output = process.run(step.argv, env={**os.environ, "LC_ALL": "C"}, timeout_s=_TIMEOUT_S)
        except KeyboardInterrupt:
            on_step(f"{state}; {made.rescue}")
            raise
        except process.FailedError as error:
            cure = made.cure(error.output)
            meaning = f"{cure}; " if cure else ""
            raise ToolError(f"{meaning}{state}; {made.rescue}\n{error}") from None
        if step.expects and step.expects not in output:
            cure = made.cure(output) or f'`{step.shown}` did not say "{step.expects}"'
            raise ToolError(f"{cure}; {state}; {made.rescue}\n{output.strip()}")
    try:
        if made.finish:
            made.finish()
    except EdgeasrError as error:
        raise LinkError(f"{error}; {made.rescue}") from None


def _state(step: Step, number: int, total: int) -> str:
    """Say what is on the board when a step did not come to its end."""
    half = "the board may hold half a program" if step.writes else "the board was left as it was"
    if number > 1 and not step.writes:
        half = "the board is not proved to hold the program"
    return f"stopped in step {number} of {total} ({step.does}): {half}"
