"""`edgeasr bench`: engines side by side on one board, what each costs and whether they agree."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from edgeasr import bench as benches
from edgeasr import boards, connect, deploy, flashing, hil, speech
from edgeasr.bench import Comparison, Measured
from edgeasr.bench import baseline as baselines
from edgeasr.boards import Board
from edgeasr.cli import asking, console
from edgeasr.errors import CheckError, InputError, alternatives
from edgeasr.project import Project
from edgeasr.report import layers as report_layers
from edgeasr.toolchain.parts import PARTS
from edgeasr.units import format_bytes, format_count

_FLASH = ("code", "weight", "table")

app = typer.Typer(add_completion=False)


@app.command()
def bench(
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL...", help="Models (.tflite), or names of the zoo.")
    ],
    board: Annotated[
        str, typer.Option("--board", "-b", help="A board of 'edgeasr boards', or a board file.")
    ],
    engines: Annotated[
        str,
        typer.Option(
            help="Engines, separated by commas: ear, tflm, tflite, or peers: bakenn, xnnpack."
        ),
    ] = ",".join(deploy.ENGINES),
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
    by_layer: Annotated[
        bool, typer.Option("--layers", help="Print what each layer takes, too.")
    ] = False,
    picture: Annotated[
        Path | None,
        typer.Option(metavar="FILE.svg", help="Draw the instructions of each layer (one MODEL)."),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Compare with these figures; end with 1 where worse."),
    ] = None,
    tolerance: Annotated[
        float, typer.Option(min=0.0, help="Percent that a figure may grow over the baseline.")
    ] = baselines.TOLERANCE_PERCENT,
    update_baseline: Annotated[
        bool, typer.Option("--update-baseline", help="Write the figures into the baseline.")
    ] = False,
    port: Annotated[
        str | None, typer.Option(help="Serial device of a real board, where it is not found.")
    ] = None,
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Run a real board's firmware in its simulator.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Run each MODEL with each engine on a board, on tensors, and compare cost and outputs.

    Ends with 1 when an output or a layer differs from TFLite-Micro's on this computer, or firmware
    fails to build or run. A real board is flashed with each. The firmware has no front end. An
    engine whose library is missing is told as that.
    """
    wanted = _engines(engines)
    if picture:
        _check_picture(picture, models)
    held = _held(baseline, update_baseline)
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
                reach=_reach(chosen, port, simulate),
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
            _show(comparison, by_layer)
    if picture:
        hil.write_text(picture, report_layers.render(_charts(found[0]), _title(found[0])))
        console.say(f"instructions by layer drawn: {picture}")
    wrong = [comparison.model for comparison in found if not comparison.agrees]
    if wrong:
        raise CheckError(
            f"{chosen.name}: {', '.join(wrong)}: outputs differ, or firmware failed; nothing may"
        )
    if baseline:
        _judge(found, held, baseline, tolerance, update_baseline)


def _reach(board: Board, port: str | None, simulate: bool) -> Callable[[Project], str]:
    """Return what gets a project to run: its simulator, or a real board, which is flashed."""
    if simulate or (board.simulated and port is None):
        return lambda made: connect.SIMULATOR

    def flash(made: Project) -> str:
        plan = flashing.plan(made, port=port, ask=asking.choose)
        flashing.carry_out(plan, console.say)
        line = plan.line or asking.port_of(made, port or connect.AUTO)
        return connect.await_firmware(made, port=line)[0]

    return flash


def _check_picture(picture: Path, models: list[str]) -> None:
    if picture.suffix.lower() != ".svg":
        raise InputError(f"{picture}: the picture is an SVG drawing; give a name that ends in .svg")
    if len(models) != 1:
        raise InputError(f"--picture draws one model, and {len(models)} are given; give one MODEL")
    hil.check_writable(picture)


def _title(comparison: Comparison) -> str:
    return f"{comparison.model} on {comparison.board}"


def _charts(comparison: Comparison) -> dict[str, list[tuple[str, int, int]]]:
    """Return (name, instructions, MACs) of each layer that was counted, by engine."""
    return {
        engine.engine: [
            (f"{layer.op} {layer.kind}", layer.instructions, layer.macs)
            for layer in engine.layers
            if layer.instructions is not None
        ]
        for engine in comparison.engines
    }


def _held(baseline: Path | None, update: bool) -> baselines.Figures:
    """Read the baseline before the work; one that is to be written need not be there."""
    if baseline is None:
        if update:
            raise InputError("--update-baseline goes with --baseline FILE, the file to write")
        return {}
    hil.check_writable(baseline)
    return {} if update and not baseline.exists() else baselines.load(baseline)


def _judge(
    found: list[Comparison], held: baselines.Figures, file: Path, tolerance: float, update: bool
) -> None:
    """Tell what changed since the baseline, then write it or refuse what is worse."""
    changed = baselines.changes(held, found)
    worse = [change for change in changed if change.percent > tolerance]
    lost = baselines.lost(held, found)
    for change in changed:
        if change not in worse:
            console.say(f"{'improved' if change.new < change.old else 'within'}: {change}")
    for name in baselines.unknown(held, found):
        console.say(f"new: {name} is not in {file}{'' if update else '; see --update-baseline'}")
    if update:
        for change in worse:
            console.say(f"accepted: {change}")
        baselines.save(file, found)
        console.say(f"baseline written: {file}")
    elif worse or lost:
        raise CheckError(
            f"{file}: worse by more than {tolerance:g} %:\n  "
            + "\n  ".join([*map(str, worse), *lost])
            + "\nto accept it, run the same command with --update-baseline"
        )


def _engines(text: str) -> tuple[str, ...]:
    wanted = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in wanted:
        if name not in benches.ENGINES:
            raise InputError(f'engine "{name}" not found; {alternatives(name, benches.ENGINES)}')
    return wanted


def _say_why(found: list[Comparison]) -> None:
    for comparison in found:
        for engine in comparison.engines:
            if engine.why:
                console.say(f"{comparison.model}, {engine.engine}: {engine.why}")


def _show(comparison: Comparison, by_layer: bool) -> None:
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
    for engine in ran if by_layer else ():
        console.out.print(_layer_table(engine))


def _layer_table(engine: Measured) -> Table:
    heads = (
        "#",
        "operation",
        "kernel",
        "MACs",
        "instructions",
        "a MAC",
        "code",
        "weights",
        "tables",
    )
    table = Table(box=None, pad_edge=False, title=engine.engine, title_justify="left")
    for name in (*heads, "arena", "scratch"):
        table.add_column(name, justify="left" if name in ("operation", "kernel") else "right")
    for layer in engine.layers:
        table.add_row(
            str(layer.op), layer.kind, layer.kernel, _count(layer.macs or None),
            _count(layer.instructions), _ratio(layer.instructions_per_mac),
            _count(layer.code_bytes), _count(layer.weight_bytes or None),
            _count(layer.table_bytes or None), _count(layer.arena_bytes),
            _count(layer.scratch_bytes or None),
        )  # fmt: skip
    table.add_row(*_total(engine))
    return table


def _total(engine: Measured) -> list[str]:
    """Return the sums of the columns; of arena and scratch what is highest."""

    def known(name: str) -> list[int]:
        return [value for x in engine.layers if (value := getattr(x, name)) is not None]

    macs, counts = sum(known("macs")), known("instructions")
    sums = [_count(sum(v) if (v := known(f"{n}_bytes")) else None) for n in _FLASH]
    most = [_count(max(v) if (v := known(f"{n}_bytes")) else None) for n in ("arena", "scratch")]
    each = sum(counts) / macs if macs and counts else None
    return [
        "", "in all", "", _count(macs), _count(sum(counts) if counts else None), _ratio(each),
        *sums, *most,
    ]  # fmt: skip


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


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
