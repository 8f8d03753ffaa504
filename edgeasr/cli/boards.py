"""`edgeasr boards`: the boards that can be exported for, and the facts of one."""

from typing import Annotated

import typer
from rich.table import Table

from edgeasr import boards as known
from edgeasr import deploy, flashing
from edgeasr.boards import Board
from edgeasr.cli import console
from edgeasr.codegen import extensions
from edgeasr.errors import EdgeasrError, InputError, alternatives
from edgeasr.units import format_bytes, parse_bytes

app = typer.Typer(add_completion=False)

_Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@app.callback(invoke_without_command=True)
def boards(
    ctx: typer.Context,
    min_ram: Annotated[
        str, typer.Option(help="Only boards with so much memory for data, such as 64K.")
    ] = "0",
    core: Annotated[
        str | None, typer.Option(help="Only boards with this processor core, such as cortex-m4.")
    ] = None,
    microphone: Annotated[
        bool, typer.Option("--microphone", help="Only boards that read a microphone.")
    ] = False,
    simulated: Annotated[
        bool,
        typer.Option("--simulated", help="Only boards whose firmware runs here, without them."),
    ] = False,
    json: _Json = False,
) -> None:
    """List the boards, or show the facts of one: `edgeasr boards show NAME`."""
    if ctx.invoked_subcommand:
        return
    least = parse_bytes(min_ram)
    listed = [known.load(name) for name in known.names()]
    cores = {board.core for board in listed}
    if core is not None and core not in cores:
        raise InputError(f'core "{core}" not found; {alternatives(core, cores)}')
    listed = [
        board
        for board in listed
        if (board.ram_bytes is None or board.ram_bytes >= least)
        and core in (None, board.core)
        and (board.microphone or not microphone)
        and (board.runner or not simulated)
    ]
    if json:
        console.print_json([_facts(board) for board in listed])
        return
    if not listed:
        console.say("no board is like that; 'edgeasr boards' lists all")
        return
    table = Table(box=None, pad_edge=False)
    for column in ("board", "core", "flash", "RAM", "runner", "flashed with"):
        table.add_column(column, no_wrap=True)
    table.add_column("what it is")
    for board in listed:
        table.add_row(
            board.name,
            board.core,
            _size(board.flash_bytes),
            _size(board.ram_bytes),
            board.runner or "",
            ", ".join(board.flash),
            board.title,
        )
    console.out.print(table)


@app.command()
def show(
    board: Annotated[str, typer.Argument(help="A board's name, or a board file.")],
    json: _Json = False,
) -> None:
    """Show all that is known of a board, its sources, what fits on it, and how it is flashed."""
    found = known.load(board)
    facts = _facts(found)
    ways, fits = _ways(found), _fits(found)
    if json:
        console.print_json({**facts, "ways": ways, "models": fits})
        return
    lines = [f"{found.name}: {found.title}"]
    for key, value in facts.items():
        if key in ("name", "title") or value is None:
            continue
        if key == "memory":
            lines += [_region(found, name) for name in found.memory]
        elif key in ("constants", "microphone"):
            lines += _constants(found, key)
        elif key == "sources":
            lines += [f"  source           {source}" for source in found.sources]
        elif key == "line":
            usb = f", USB {', '.join(found.line.usb)}" if found.line.usb else ", any adapter"
            lines.append(f"  {key:<16} {found.line.baud:,} baud{usb}")
        elif key == "flash":
            lines += [_way(found, way, lacking) for way, lacking in ways.items()]
        elif isinstance(value, list):
            lines.append(f"  {key:<16} {' '.join(map(str, value))}")
        else:
            lines.append(f"  {key:<16} {value}")
    lines += [_fit(name, fit) for name, fit in fits.items()]
    console.out.print("\n".join(lines), markup=False)


def _size(count: int | None) -> str:
    return "the system's" if count is None else format_bytes(count).split("(")[-1].rstrip(")")


def _region(board: Board, name: str) -> str:
    region = board.memory[name]
    return f"  memory.{name:<9} {region.origin:#010x}, {format_bytes(region.bytes)}"


def _constants(board: Board, key: str) -> list[str]:
    if key == "constants":
        values, meanings, head = board.constants, board.port.constants, []
    else:
        kind = board.microphone.kind
        values, meanings = board.microphone.constants, board.port.microphones[kind]
        head = [f"  microphone       {kind}"]
    return head + [
        f"  {name:<16} {_constant(name, values[name])} ({meaning})"
        for name, meaning in meanings.items()
    ]


def _constant(name: str, value: int) -> str:
    return f"{value:#010x}" if name.endswith("_base") else str(value)


def _ways(board: Board) -> dict[str, list[str]]:
    """Return the programs that are missing here, by way to flash."""
    return {way: flashing.missing(way) for way in board.flash if way in flashing.WAYS}


def _way(board: Board, way: str, lacking: list[str]) -> str:
    options = ", ".join(f"{key} {value}" for key, value in board.flash[way].items())
    state = f"missing here: {', '.join(lacking)}" if lacking else "ready here"
    return f"  flash.{way:<10} {f'{options}; ' if options else ''}{state}"


def _fits(board: Board) -> dict[str, dict[str, object]]:
    """Return what the zoo's models need of a board at least, and whether they fit."""
    fits: dict[str, dict[str, object]] = {}
    for name in deploy.zoo_names():
        try:
            code = deploy.generate_model(
                deploy.load_model(name), board.name, extension=extensions.of_core(board.core)
            )
        except EdgeasrError as error:
            fits[name] = {"fits": False, "why": str(error)}
            continue
        needs = deploy.needs(code, board)
        fits[name] = {
            "fits": all(has is None or needed <= has for needed, has in needs.values()),
            "ram_bytes": needs["RAM"][0],
            "flash_bytes": needs["flash"][0],
        }
    return fits


def _fit(name: str, fit: dict[str, object]) -> str:
    if "why" in fit:
        return f"  model {name:<10} does not fit: {fit['why']}"
    verdict = "fits" if fit["fits"] else "does not fit"
    return (
        f"  model {name:<10} {verdict}: at least {format_bytes(fit['ram_bytes'])} of RAM, "
        f"{format_bytes(fit['flash_bytes'])} of flash for constants"
    )


def _facts(board: Board) -> dict[str, object]:
    microphone, line = board.microphone, board.line
    return {
        "name": board.name,
        "title": board.title,
        "core": board.core,
        "simulated": board.simulated,
        "port": board.port.name,
        "runner": board.runner,
        "compiler": board.compiler.program,
        "c_flags": list(board.compiler.c_flags),
        "flash_bytes": board.flash_bytes,
        "ram_bytes": board.ram_bytes,
        "stack_bytes": board.stack_bytes,
        "rx_bytes": board.rx_bytes,
        "ticks_hz": board.ticks_hz,
        "memory": {r.name: {"origin": r.origin, "bytes": r.bytes} for r in board.memory.values()},
        "constants": dict(board.constants),
        "microphone": {"kind": microphone.kind, **microphone.constants} if microphone else None,
        "line": {"baud": line.baud, "usb": list(line.usb)} if line else None,
        "flash": {way: dict(options) for way, options in board.flash.items()},
        "sources": list(board.sources),
    }
