"""Questions to whoever sits at a terminal; elsewhere what was to be asked is refused."""

import sys
from collections.abc import Sequence

import typer

from edgeasr import boards, connect, flashing
from edgeasr.cli import console
from edgeasr.project import Project


def at_terminal() -> bool:
    """True where a question would be seen and answered."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def choose(what: str, found: Sequence[str], option: str) -> int:
    """Ask which of several is meant; where nobody can answer, refuse with the option that says."""
    if not at_terminal():
        return flashing.refuse(what, found, option)
    console.say(f"{len(found)} {what} are here ({option} chooses without asking):")
    for number, name in enumerate(found, start=1):
        console.say(f"  {number}  {name}")
    while not 1 <= (answer := typer.prompt("which", type=int, err=True)) <= len(found):
        console.say(f"{answer} is none of 1 to {len(found)}")
    return answer - 1


def port_of(project: Project, port: str | None, simulate: bool = False) -> str | None:
    """Return the port for `connect`: as given, the simulator, or chosen where several fit."""
    if simulate:
        return connect.SIMULATOR
    board = boards.of_project(project.folder, project.manifest.board)
    if port != connect.AUTO and (port is not None or board.simulated):
        return port
    found = connect.candidates(board)
    if len(found) < 2:
        return port
    return found[choose("ports", [str(one) for one in found], "--port DEVICE")].device
