"""`edgeasr inspect`: operations, cost, memory plan and quantization of a model, layer by layer."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from edgeasr import deploy, hil, inspection, speech
from edgeasr.audio import Clip, catalog
from edgeasr.cli import console
from edgeasr.errors import CheckError, InputError
from edgeasr.inspection import Comparison, Inspection
from edgeasr.units import format_bytes, format_count

app = typer.Typer(add_completion=False)


@app.command()
def inspect(
    model: Annotated[
        str, typer.Argument(help="Any .tflite file, or a name of the zoo.")
    ] = deploy.DEFAULT_MODEL,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="ORIGINAL",
            help="Say what each layer lost against this int8 .tflite, or name of the zoo.",
        ),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(help="Recordings for --against: manifest CSV, data set or folder of classes."),
    ] = None,
    split: Annotated[str, typer.Option(help="Split to take: test, val, train, or all.")] = "test",
    limit: Annotated[int, typer.Option(min=0, help="At most so many clips; 0 is all.")] = 200,
    picture: Annotated[
        Path | None,
        typer.Option(metavar="FILE.svg", help="Draw the memory plan into this file."),
    ] = None,
    facts: Annotated[
        Path | None,
        typer.Option(help="Labels, front end and decision rule: TOML, JSON, or microWakeWord's."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Show what MODEL is, what it costs, how it is quantized, and whether the engine can run it."""
    if data and not against:
        raise InputError(
            "--data goes with --against ORIGINAL: the int8 model that MODEL was made of"
        )
    if picture:
        _check_picture(picture)
    path = deploy.find_model(model)
    seen = inspection.inspect(path, facts)
    compared = _compare(seen, against, data or [], split, limit) if against else None
    if json:
        beside = {"against": compared.to_dict()} if compared else {}
        console.print_json(seen.to_dict() | beside)
    else:
        _show(seen, compared)
    if picture and seen.code:
        hil.write_text(picture, seen.picture())
        console.say(f"memory plan drawn: {picture}")
    if seen.problems:
        raise CheckError(
            f"{path.name}: the ear engine cannot run this model:\n  " + "\n  ".join(seen.problems)
        )


def _check_picture(picture: Path) -> None:
    if picture.suffix.lower() != ".svg":
        raise InputError(f"{picture}: the picture is an SVG drawing; give a name that ends in .svg")
    hil.check_writable(picture)


def _compare(
    seen: Inspection, against: str, data: Sequence[Path], split: str, limit: int
) -> Comparison:
    original = deploy.find_model(against)
    clips: list[Clip] = []
    if data:
        labels = speech.load(original).facts.labels
        everything = [clip for path in data for clip in catalog.load(path)]
        wanted = None if split == "all" else split
        clips, skipped = hil.select(everything, labels, split=wanted, limit=limit)
        if skipped:
            console.say(f"{skipped} clips have labels that the model lacks; they are left out")
    with console.progress() as bar:
        task = bar.add_task("comparing", total=None)

        def on_step(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        return inspection.compare(seen, original, clips, on_step)


def _show(seen: Inspection, compared: Comparison | None) -> None:
    print_line = console.out.print
    print_line(f"{seen.path.name}: {format_bytes(seen.path.stat().st_size)}", markup=False)
    for side, indices in (("input", seen.graph.inputs), ("output", seen.graph.outputs)):
        for index in indices:
            tensor = seen.graph.tensor(index)
            line = f'{side} "{tensor.name}" {tensor.dtype} {list(tensor.shape)}'
            if tensor.quantization:
                line += f", scale {tensor.quantization.scale:.6g}"
                line += f", zero point {tensor.quantization.zero_point}"
            print_line(line, markup=False)
    console.out.print(_table(seen))
    total = f"{format_count(seen.macs)} MACs"
    if seen.code:
        plan = seen.code.plan
        total += f", constants {format_bytes(seen.code.constant_bytes)}"
        total += f", arena {format_bytes(plan.arena_bytes)}"
        total += f" (at least {format_bytes(plan.lower_bound_bytes)} are live at once)"
        if plan.state_bytes:
            total += f", state {format_bytes(plan.state_bytes)}"
    print_line(total, markup=False)
    _show_weights(seen, compared)
    _show_facts(seen)
    if not seen.problems:
        print_line(f"incremental: {_incremental(seen)}", markup=False)


def _table(seen: Inspection) -> Table:
    table = Table(box=None, pad_edge=False)
    for name, justify in (
        ("#", "right"), ("operation", "left"), ("input", "left"), ("output", "left"),
        ("type", "left"), ("scale, zero", "right"), ("arena at", "right"), ("MACs", "right"),
        ("constants", "right"),
    ):  # fmt: skip
        table.add_column(name, justify=justify)
    for row in seen.rows:
        table.add_row(
            str(row.op), row.kind, _shape(row.input_shape), _shape(row.output_shape), row.dtype,
            f"{row.quantization[0]:.4g}, {row.quantization[1]}" if row.quantization else "",
            f"{row.offset:,}" if row.offset is not None else "",
            f"{row.macs:,}" if row.macs else "",
            f"{row.constant_bytes:,} B" if row.constant_bytes else "",
        )  # fmt: skip
    return table


def _show_weights(seen: Inspection, compared: Comparison | None) -> None:
    """Print packing and bytes of each layer; one line where none is packed."""
    rows = seen.weights
    if not rows and not compared:
        return
    print_line = console.out.print
    if not compared and all(row.packing == "raw" for row in rows):
        schemes = ", ".join(dict.fromkeys(row.scheme for row in rows))
        print_line(
            f"weights: {format_bytes(seen.int8_bytes)} in {len(rows)} layers, all raw int8 "
            f"({schemes}): packing would save nothing",
            markup=False,
        )
        return
    print_line()
    print_line(_weights_table(seen, compared))
    if rows:
        share = 100 * seen.packed_bytes / seen.int8_bytes
        print_line(
            f"weights: {format_bytes(seen.int8_bytes)} as int8, "
            f"{format_bytes(seen.packed_bytes)} packed, {share:.1f} %",
            markup=False,
        )
        _show_schemes(seen)
    if compared:
        _show_comparison(compared)
    print_line()


def _weights_table(seen: Inspection, compared: Comparison | None) -> Table:
    table = Table(box=None, pad_edge=False)
    headings = ["#", "weights of", "scheme", "packing", "int8", "packed"]
    if compared:
        headings.append("SQNR of\nweights")
        headings += ["SQNR of\nactivations", "points\nlost alone"] if compared.clips else []
    for name in headings:
        left = name in ("weights of", "scheme", "packing")
        table.add_column(name, justify="left" if left else "right")
    quantized = {row.op: row for row in seen.weights}
    lost = {layer.op: layer for layer in compared.layers} if compared else {}
    for op in sorted({*quantized, *lost}):
        row, layer = quantized.get(op), lost.get(op)
        cells = ["", "", "", ""]
        if row:
            cells = [_kind(row.scheme), row.packing]
            cells += [f"{row.int8_bytes:,} B", f"{row.packed_bytes:,} B"]
        if layer:
            cells.append(_decibels(layer.weights_db))
            if compared.clips:
                cells.append(_decibels(layer.activations_db))
                cells.append(f"{compared.points(layer.lost_alone):.2f}")
        table.add_row(str(op), seen.rows[op].kind, *cells)
    return table


def _kind(scheme: str) -> str:
    """Return the part of a scheme that says the grid; a table by hand without its levels."""
    kind = scheme.partition("/")[0]
    word, _, levels = kind.partition(":")
    return f"table of {levels.count(',') + 1}" if levels else word


def _decibels(value: float) -> str:
    return "exact" if value == float("inf") else f"{value:.1f} dB"


def _show_schemes(seen: Inspection) -> None:
    """Print the schemes in full that the facts have, each with its operations."""
    facts = seen.facts.provenance.get("quantization") if seen.facts else None
    if isinstance(facts, dict):
        known = [name for name in ("recipe", "when", "seed") if facts.get(name) is not None]
        named = [f"{name} {facts[name]}" for name in known]
        console.out.print(f"quantized by {', '.join(named)}", markup=False)
    stated = [row for row in seen.weights if row.stated]
    for scheme in dict.fromkeys(row.scheme for row in stated):
        ops = ", ".join(_ranges([row.op for row in stated if row.scheme == scheme], seen))
        console.out.print(f"  {scheme}: {ops}", markup=False)
    if len(stated) < len(seen.weights):
        others = "other schemes" if stated else "schemes"
        console.out.print(f"{others} are recognised from the values", markup=False)


def _ranges(ops: Sequence[int], seen: Inspection) -> list[str]:
    """Return operations as #2, or #2–#9 where every layer with weights between is of them."""
    order = [row.op for row in seen.weights]
    places = enumerate(order.index(op) for op in ops)
    runs = itertools.groupby(places, key=lambda pair: pair[1] - pair[0])
    found = [[order[place] for _, place in run] for _, run in runs]
    return [f"#{run[0]}" if len(run) == 1 else f"#{run[0]}–#{run[-1]}" for run in found]


def _show_comparison(compared: Comparison) -> None:
    against = f"SQNR and losses are against {compared.original}"
    if not compared.clips:
        console.out.print(f"{against}; activations and accuracy need --data", markup=False)
        return
    count = compared.clips
    lost = compared.points(compared.correct_original - compared.correct)
    console.out.print(
        f"{against}, on {count} clips (one is {compared.points(1):.2f} points)\n"
        f"lost with all layers: {lost:.2f} points; it recognises {compared.correct} clips, "
        f"{compared.original} {compared.correct_original}\n"
        "lost alone: when only this layer has its new weights; below 0 is gained",
        markup=False,
    )


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))


def _show_facts(seen: Inspection) -> None:
    if seen.facts is None:
        console.out.print(f"facts: {seen.missing}", markup=False)
        return
    facts = seen.facts
    end, rule = facts.front_end, facts.decision
    console.out.print(
        f"facts: {seen.source}\nlabels: {', '.join(facts.labels) or 'not known'}", markup=False
    )
    if end is None:
        console.out.print("front end: none; this model runs on tensors alone", markup=False)
        return
    above = "above" if rule.rule == "micro_wake_word" else "threshold"
    start = f", none in the first {rule.warmup_ms} ms" if rule.warmup_ms else ""
    console.out.print(
        f"front end: {end.kind}, {facts.frames} frames of {end.feature_count} features, "
        f"{end.window_ms:g} ms every {end.hop_ms:g} ms at {end.sample_rate_hz} Hz\n"
        f"decision: mean of {rule.window}, {above} {rule.threshold:g}, "
        f"then {rule.refractory_ms} ms of silence{start}",
        markup=False,
    )


def _incremental(seen: Inspection) -> str:
    """Return what `export --incremental` saves, or what is in its way."""
    made = seen.streaming
    if made is None:
        return f"no: {seen.not_streaming}"
    share = 100 * made.macs / made.window_macs
    return (
        f"yes, with export --incremental: {made.hop} of {made.frames} frames an inference, "
        f"{share:.1f} % of a window's MACs"
    )
