"""`edgeasr boards`: the boards that can be exported for, and the facts of one."""

from typing import Annotated

import typer
from rich.table import Table

from edgeasr import boards as known
from edgeasr.boards import Board
from edgeasr.cli import console
from edgeasr.units import format_bytes, parse_bytes

app = typer.Typer(add_completion=False)

_Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@app.callback(invoke_without_command=True)
def boards(
    ctx: typer.Context,
    min_ram: Annotated[
        str, typer.Option(help="Only boards with so much memory for data, such as 64K.")
    ] = "0",
    json: _Json = False,
) -> None:
    """List the boards, or show the facts of one: `edgeasr boards show NAME`."""
    if ctx.invoked_subcommand:
        return
    least = parse_bytes(min_ram)
    listed = [known.load(name) for name in known.names()]
    listed = [b for b in listed if b.ram_bytes is None or b.ram_bytes >= least]
    if json:
        console.print_json([_facts(board) for board in listed])
        return
    table = Table(box=None, pad_edge=False)
    for column in ("board", "core", "flash", "RAM", "runner"):
        table.add_column(column, no_wrap=True)
    table.add_column("what it is")
    for board in listed:
        table.add_row(
            board.name,
            board.core,
            _size(board.flash_bytes),
            _size(board.ram_bytes),
            board.runner or "",
            board.title,
        )
    console.out.print(table)


@app.command()
def show(
    board: Annotated[str, typer.Argument(help="A board's name, or a board file.")],
    json: _Json = False,
) -> None:
    """Show all that is known of a board, and the sources of it."""
    found = known.load(board)
    facts = _facts(found)
    if json:
        console.print_json(facts)
        return
    lines = [f"{found.name}: {found.title}"]
    for key, value in facts.items():
        if key in ("name", "title"):
            continue
        if key == "memory":
            lines += [_region(found, name) for name in found.memory]
        elif key == "constants":
            lines += [
                f"  {name:<16} {_constant(name, found.constants[name])} ({meaning})"
                for name, meaning in found.port.constants.items()
            ]
        elif key == "sources":
            lines += [f"  source           {source}" for source in found.sources]
        elif isinstance(value, list):
            lines.append(f"  {key:<16} {' '.join(map(str, value))}")
        else:
            lines.append(f"  {key:<16} {value}")
    console.out.print("\n".join(lines), markup=False)


def _size(count: int | None) -> str:
    return "the system's" if count is None else format_bytes(count).split("(")[-1].rstrip(")")


def _region(board: Board, name: str) -> str:
    region = board.memory[name]
    return f"  memory.{name:<9} {region.origin:#010x}, {format_bytes(region.bytes)}"


def _constant(name: str, value: int) -> str:
    return f"{value:#010x}" if name.endswith("_base") else str(value)


def _facts(board: Board) -> dict[str, object]:
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
        "sources": list(board.sources),
    }
