"""`edgeasr flash`: write a project's program to its board, verify it, and hear it answer."""

from pathlib import Path
from typing import Annotated

import typer

from edgeasr import connect, flashing, hil, project, speech
from edgeasr.cli import asking, console
from edgeasr.errors import InputError

app = typer.Typer(add_completion=False)


@app.command()
def flash(
    folder: Annotated[Path, typer.Argument(metavar="PROJECT", help="A project that is built.")],
    way: Annotated[
        str | None,
        typer.Option("--with", metavar="WAY", help=f"One of {', '.join(sorted(flashing.WAYS))}."),
    ] = None,
    port: Annotated[
        str | None, typer.Option(help="Serial device of the board, where it is not found.")
    ] = None,
    baud: Annotated[int | None, typer.Option(help="Its speed; the board's by default.")] = None,
    probe: Annotated[
        str | None,
        typer.Option(metavar="SERIAL", help="Debug probe, board in its boot loader, or UF2 drive."),
    ] = None,
    host: Annotated[
        str | None, typer.Option(metavar="USER@ADDRESS", help="Of a board that ssh reaches.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the commands and run none of them.")
    ] = False,
    remove: Annotated[
        bool, typer.Option("--remove", help="Take the service off a board that ssh reaches.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Hear it answer, and prove its port.")
    ] = True,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Write the program of PROJECT to its board, verify it, and wait until the board answers.

    The board's file says which ways there are; the first whose programs are here is taken.

    Once it answers, the board proves its port: line, clock, memory, one inference.
    """
    made = project.load(folder)
    plan = flashing.plan(
        made,
        way=way,
        port=port,
        probe=probe,
        host=host,
        remove=remove,
        dry=dry_run,
        ask=asking.choose,
    )
    if dry_run:
        _show(plan, json)
        return
    flashing.carry_out(plan, console.say)
    if remove or not check:
        return
    console.say("waiting for the board to answer")
    line, hello = connect.await_firmware(made, port=plan.line or _port(made, port), baud=baud)
    with connect.connect(made, port=line, baud=baud, front_end=speech.OPTIONAL) as connected:
        proved = hil.prove(connected, console.say)
    facts = {
        "board": hello.board,
        "line": line,
        "model": hello.model_name,
        "model_hash": hello.model_hash.hex(),
        "engine": hello.engine,
        "runtime_version": hello.runtime_version,
        "protocol_version": hello.protocol_version,
        "proved": proved,
    }
    if json:
        console.print_json(facts)
        return
    console.out.print(
        f"{hello.board} answers on {line}: model {hello.model_name} ({hello.model_hash.hex()}), "
        f"engine {hello.engine}, runtime {hello.runtime_version}, protocol "
        f"{hello.protocol_version}, as in {folder}",
        markup=False,
    )


def _port(made: project.Project, port: str | None) -> str | None:
    """Ask which port is meant before waiting for it: several boards may be plugged in."""
    try:
        return asking.port_of(made, port or connect.AUTO)
    except InputError as error:
        raise InputError(f"it is written; to hear it answer: {error}") from None


def _show(plan: flashing.Plan, json: bool) -> None:
    for note in plan.notes:
        console.say(note)
    if json:
        console.print_json([{"does": step.does, "argv": step.argv} for step in plan.steps])
        return
    for step in plan.steps:
        console.out.print(step.shown, markup=False)
