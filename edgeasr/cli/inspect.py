"""`edgeasr inspect`: operations, shapes, cost and memory plan of a model."""

from typing import Annotated

import typer
from rich.table import Table

from edgeasr import deploy, inspection
from edgeasr.cli import console
from edgeasr.errors import CheckError
from edgeasr.inspection import Inspection
from edgeasr.units import format_bytes, format_count

app = typer.Typer(add_completion=False)


@app.command()
def inspect(
    model: Annotated[
        str, typer.Argument(help="Any .tflite file, or a name of the zoo.")
    ] = deploy.DEFAULT_MODEL,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Show what MODEL is, what it costs, and whether the engine can run it."""
    path = deploy.find_model(model)
    seen = inspection.inspect(path)
    if json:
        console.print_json(seen.to_dict())
    else:
        _show(seen)
    if seen.problems:
        raise CheckError(
            f"{path.name}: the ear engine cannot run this model:\n  " + "\n  ".join(seen.problems)
        )


def _show(seen: Inspection) -> None:
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
    print_line(total, markup=False)
    _show_facts(seen)


def _table(seen: Inspection) -> Table:
    table = Table(box=None, pad_edge=False)
    for name, justify in (
        ("#", "right"), ("operation", "left"), ("input", "left"), ("output", "left"),
        ("type", "left"), ("MACs", "right"), ("constants", "right"),
    ):  # fmt: skip
        table.add_column(name, justify=justify)
    for row in seen.rows:
        table.add_row(
            str(row.op), row.kind, _shape(row.input_shape), _shape(row.output_shape), row.dtype,
            f"{row.macs:,}" if row.macs else "",
            f"{row.constant_bytes:,} B" if row.constant_bytes else "",
        )  # fmt: skip
    return table


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))


def _show_facts(seen: Inspection) -> None:
    if seen.facts is None:
        console.out.print(f"facts: {seen.missing}", markup=False)
        return
    facts = seen.facts
    end = facts.front_end
    console.out.print(
        f"labels: {', '.join(facts.labels)}\n"
        f"front end: {end.kind}, {facts.frames} frames of {end.feature_count} features, "
        f"{end.window_ms:g} ms every {end.hop_ms:g} ms at {end.sample_rate_hz} Hz\n"
        f"decision: mean of {facts.decision.window}, threshold {facts.decision.threshold:g}, "
        f"then {facts.decision.refractory_ms} ms of silence",
        markup=False,
    )
