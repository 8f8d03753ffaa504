"""`edgeasr bench`: engines side by side on one board, what each costs and whether they agree."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from edgeasr import bench as benches
from edgeasr import boards, deploy, speech
from edgeasr.bench import Comparison, Measured
from edgeasr.cli import console
from edgeasr.errors import CheckError, InputError, alternatives
from edgeasr.toolchain.parts import PARTS
from edgeasr.units import format_bytes, format_count

app = typer.Typer(add_completion=False)


@app.command()
def bench(
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL...", help="Models (.tflite), or names of the zoo.")
    ],
    board: Annotated[
        str, typer.Option("--board", "-b", help="A board of 'edgeasr boards', or a board file.")
    ],
    engines: Annotated[str, typer.Option(help="Engines, separated by commas.")] = ",".join(
        deploy.ENGINES
    ),
    inputs: Annotated[
        int, typer.Option(min=1, help="Random inputs that each engine is run on.")
    ] = benches.INPUTS,
    seed: Annotated[int, typer.Option(help="Of the random inputs.")] = 1,
    keep: Annotated[
        Path | None, typer.Option(help="Keep the projects in this folder, by model and engine.")
    ] = None,
    summary: Annotated[
        bool, typer.Option("--summary", help="Print one row a model, as a Markdown table.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Run each MODEL with each engine on a board, on tensors, and compare cost and outputs.

    Ends with 1 when an output or a layer differs from TFLite-Micro's on this computer, or firmware
    fails to build or run. The firmware has no front end. An engine whose library is missing is told
    as that.
    """
    wanted = _engines(engines)
    chosen = boards.load(board)
    loaded = [deploy.load_model(name, front_end=speech.NONE) for name in models]
    with tempfile.TemporaryDirectory() as scratch:
        root = keep or Path(scratch)
        found = [
            benches.compare(
                model,
                chosen,
                root / chosen.name / model.path.stem,
                engines=wanted,
                inputs=inputs,
                seed=seed,
                on_step=console.say,
            )
            for model in loaded
        ]
    if json:
        console.print_json([comparison.to_dict() for comparison in found])
    elif summary:
        for line in benches.summary(found):
            console.out.print(line, markup=False, soft_wrap=True)
        _say_why(found)
    else:
        for comparison in found:
            _show(comparison)
    wrong = [comparison.model for comparison in found if not comparison.agrees]
    if wrong:
        raise CheckError(
            f"{chosen.name}: {', '.join(wrong)}: outputs differ, or firmware failed; nothing may"
        )


def _engines(text: str) -> tuple[str, ...]:
    wanted = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in wanted:
        if name not in deploy.ENGINES:
            raise InputError(f'engine "{name}" not found; {alternatives(name, deploy.ENGINES)}')
    return wanted


def _say_why(found: list[Comparison]) -> None:
    for comparison in found:
        for engine in comparison.engines:
            if engine.why:
                console.say(f"{comparison.model}, {engine.engine}: {engine.why}")


def _show(comparison: Comparison) -> None:
    console.out.print(
        f"{comparison.model} on {comparison.board}: {format_count(comparison.macs)} MACs, "
        f"{comparison.inputs} random inputs",
        markup=False,
    )
    ran = [engine for engine in comparison.engines if engine.report]
    if ran:
        console.out.print(_table(comparison, ran))
    for engine in comparison.engines:
        if engine.why:
            console.out.print(f"{engine.engine}: {engine.why}", markup=False)


def _table(comparison: Comparison, ran: list[Measured]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for engine in ran:
        table.add_column(engine.engine, justify="right")
    rows = {
        "instructions an inference": [_count(engine.instructions) for engine in ran],
        "instructions to start": [_count(engine.start_instructions) for engine in ran],
        "flash": [format_bytes(engine.flash_bytes) for engine in ran],
        "RAM": [format_bytes(engine.ram_bytes) for engine in ran],
        "arena": [format_bytes(engine.arena_bytes) for engine in ran],
        "arena, used": [_count(engine.arena_used_bytes) for engine in ran],
        **{f"section {name}": _sections(name, ran) for name in _section_names(ran)},
        **{f"flash, {name}": _parts(name, ran, "flash_bytes") for name in PARTS},
        **{f"RAM, {name}": _parts(name, ran, "ram_bytes") for name in PARTS},
        **{
            f"outputs as {reference}": [_agreement(engine, reference) for engine in ran]
            for reference in dict.fromkeys(engine.report.reference for engine in ran)
        },
        "layers that differ": [_layers(engine) for engine in ran],
    }
    for name, cells in rows.items():
        if any(cells):
            table.add_row(name, *cells)
    return table


def _count(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _section_names(ran: list[Measured]) -> list[str]:
    return list(dict.fromkeys(name for engine in ran for name in engine.sections if name[0] == "."))


def _sections(name: str, ran: list[Measured]) -> list[str]:
    return [_count(engine.sections.get(name)) for engine in ran]


def _parts(name: str, ran: list[Measured], field: str) -> list[str]:
    sizes = [getattr(engine.parts.get(name), field, 0) for engine in ran]
    return [_count(size or None) for size in sizes]


def _agreement(engine: Measured, reference: str) -> str:
    if engine.report.reference != reference:
        return ""
    return f"{engine.equal} of {engine.report.inputs}"


def _layers(engine: Measured) -> str:
    if not engine.report.layers:
        return ""
    return f"{len(engine.report.layers_unequal)} of {engine.report.layers}"
