"""`edgeasr quantize`: a float or int8 model to a quantized speech model, of as few bits as hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from edgeasr.cli import console
from edgeasr.errors import InputError
from edgeasr.units import format_bytes

if TYPE_CHECKING:
    from edgeasr.quantize.executors import Executor
    from edgeasr.training import Observer
    from edgeasr.training.recipes import QuantizationRecipe

app = typer.Typer(add_completion=False)

_STUDY_FOLDER = Path("build/study")


@app.command()
def quantize(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="MODEL...",
            help="A float model of the zoo by name, NAME.keras of 'edgeasr train', or any int8 "
            ".tflite; several for a study.",
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder of recordings, as for 'edgeasr train'.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The .tflite to write; a study's folder.")
    ] = None,
    recipe: Annotated[str, typer.Option(help="A named recipe, see --list.")] = "int8",
    weights: Annotated[
        str | None, typer.Option(help="Scheme of all layers: uniform4, codebook8/tensor, pot4 ...")
    ] = None,
    layer: Annotated[
        list[str] | None,
        typer.Option(help="Another scheme for NUMBER, first, last or depthwise: 4=uniform8."),
    ] = None,
    when: Annotated[
        str | None, typer.Option(help="post, aware (in training), blocks or partition (INQ).")
    ] = None,
    activations: Annotated[
        str | None, typer.Option(help="int8, int16, dynamic or float16.")
    ] = None,
    rounding: Annotated[
        str | None, typer.Option(help="After training: nearest, or compensated.")
    ] = None,
    bias_correction: Annotated[
        bool, typer.Option("--bias-correction", help="Keep the mean of each layer's sums.")
    ] = False,
    equalize: Annotated[
        bool, typer.Option("--equalize", help="Even out channels between layers first.")
    ] = False,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Of each stage of training on the grid.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of calibration and training.")] = 1,
    search: Annotated[
        bool, typer.Option("--search", help="Search a scheme for each layer within --max-share.")
    ] = False,
    max_share: Annotated[
        float, typer.Option(min=1, max=100, help="Search: weights in percent of int8's bytes.")
    ] = 40.0,
    max_instructions: Annotated[
        int | None, typer.Option(min=1, help="Search: instructions of an inference.")
    ] = None,
    study: Annotated[
        bool, typer.Option("--study", help="Try all recipes that have a goal; write a page.")
    ] = False,
    recipes: Annotated[
        str | None,
        typer.Option(help="Study: these, with commas, instead of all that have a goal."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Study: seeds 1 to N.")] = 3,
    board: Annotated[
        str | None,
        typer.Option(
            "--board",
            "-b",
            help="Board that must be able to run the result; a study's, qemu_mps2_an386.",
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes of a search or study; one per core.")
    ] = None,
    ray: Annotated[
        str | None, typer.Option(help="Address of a running Ray cluster, instead of processes.")
    ] = None,
    list_recipes: Annotated[bool, typer.Option("--list", help="List the named recipes.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Quantize MODEL with recordings of DATA and write it as a speech model.

    A trained model's facts (labels, front end, decision rule) are those of NAME.tflite beside
    NAME.keras. Long work shows progress; after Ctrl-C the same command goes on from there.
    """
    from edgeasr.training.recipes import find

    if list_recipes:
        _list(json)
        return
    names = models or ["digits"]
    changes = _given(
        weights=weights, when=when, activations=activations, rounding=rounding,
        bias_correction=bias_correction or None, equalize=equalize or None,
        layers=_layers(layer) if layer else None, search=search or None,
    )  # fmt: skip
    chosen = find(recipe)
    if changes:
        chosen = replace(chosen, name="custom", **changes)
    if epochs:
        chosen = replace(chosen, schooling=replace(chosen.schooling, epochs=epochs))
    executor = _executor(workers, ray)
    if study:
        _study(names, data, out or _STUDY_FOLDER, recipes, seeds, board, executor, json)
        return
    if len(names) > 1:
        raise InputError(f"{len(names)} models; one at a time is quantized; several with --study")
    _one(names[0], data, out, chosen, seed, board, executor, (max_share, max_instructions), json)


def _given(**options: object) -> dict[str, object]:
    return {name: value for name, value in options.items() if value is not None}


def _layers(texts: list[str]) -> dict[str, str]:
    found = {}
    for text in texts:
        selector, equals, scheme = text.partition("=")
        if not equals or not scheme:
            raise InputError(f'--layer "{text}": as 4=uniform8 or depthwise=uniform4 is allowed')
        found[selector] = scheme
    return found


def _executor(workers: int | None, ray: str | None) -> Executor:
    from edgeasr.quantize.cluster import Ray
    from edgeasr.quantize.executors import Processes

    return Ray(ray) if ray else Processes(workers)


def _observer() -> Observer:
    from edgeasr.cli import train

    return train.observer()


def _one(
    name: str,
    data: Path | None,
    out: Path | None,
    recipe: QuantizationRecipe,
    seed: int,
    board: str | None,
    executor: Executor,
    limits: tuple[float, int | None],
    json: bool,
) -> None:
    from edgeasr import quantization

    target = out or Path(f"{Path(name).stem}-{recipe.name}.tflite")
    report = quantization.quantize_model(
        name, data, target, recipe, seed=seed, board=board, executor=executor,
        max_share=limits[0] / 100, max_instructions=limits[1],
        observer=_observer(), on_step=_on_step,
    )  # fmt: skip
    if json:
        console.print_json(report)
        return
    _show(report)


def _show(report: dict[str, object]) -> None:
    lines = [f"wrote {report['file']}: {format_bytes(report['file_bytes'])}"]
    if "weight_bytes" in report:
        share = 100 * report["weight_bytes"] / report["int8_weight_bytes"]
        integers = report["activations"] in ("int8", "int16")
        lines.append(
            f"weights {format_bytes(report['weight_bytes'])} as "
            f"{'packed for firmware' if integers else 'stored'}, "
            f"{share:.1f} % of int8's {report['int8_weight_bytes']:,} B"
        )
    if "test" in report:
        test = report["test"]
        lines.append(
            f"{100 * test['accuracy']:.2f} % of {test['clips']} clips of test "
            f"(float {100 * test['accuracy_float']:.2f} %)"
        )
    if "disagreement" in report:
        found = report["disagreement"]
        integers = "is not simulated" if found["differ"] is None else found["differ"]
        near = max((one["steps"] for one in found["explained"]), default=0)
        lines.append(
            f"of {found['clips']} clips the file names differently than training: in integers "
            f"{integers}, in floats {found['float_differ']}"
            + (f" (the file's two best scores at most {near} of 256 steps apart)" if near else "")
        )
    console.out.print("\n".join(lines), markup=False)


def _list(json: bool) -> None:
    from edgeasr.training.recipes import RECIPES

    if json:
        console.print_json(
            [
                {"name": r.name, "weights": r.weights, "layers": dict(r.layers), "when": r.when,
                 "activations": r.activations}
                for r in RECIPES.values()
            ]
        )  # fmt: skip
        return
    table = Table(box=None, pad_edge=False)
    for column in ("recipe", "weights", "when", "activations", "goal"):
        table.add_column(column)
    for r in RECIPES.values():
        others = "".join(f"; {where} {text}" for where, text in r.layers.items())
        goal = f"-{r.goal.points_lost:g} points, {100 * r.goal.bytes_share:g} %" if r.goal else ""
        scheme = "searched by layer" if r.search else r.weights + others
        table.add_row(r.name, scheme, r.when, r.activations, goal)
    console.out.print(table)


def _on_step(model: str, step) -> None:
    score = step.evaluation.score
    if step.known and step.done % 50:
        return
    console.say(
        f"{model}: {step.phase}, {step.done} of {step.total}: loss {score.loss:.4f}, "
        f"{100 * score.accuracy:.1f} % of val, {score.flash_bytes:,} B"
    )


def _study(
    names: list[str],
    data: Path | None,
    folder: Path,
    chosen: str | None,
    seeds: int,
    board: str | None,
    executor: Executor,
    json: bool,
) -> None:
    from edgeasr import study
    from edgeasr.report import study as page
    from edgeasr.training import recipes

    if data is None:
        raise InputError("a study needs recordings; give them with --data")
    tried = [recipes.find(name.strip()) for name in chosen.split(",")] if chosen else None
    plan = study.Plan(
        tuple(names), data, folder, tuple(tried or recipes.goals()), tuple(range(1, seeds + 1)),
        **_given(board=board),
    )  # fmt: skip
    made = study.run(plan, executor, _observer(), _on_step)
    files = page.write(made, folder)
    if json:
        console.print_json(made.to_dict())
    else:
        for model in made.models:
            _show_goals(model)
    for file in files:
        console.say(f"wrote {file}")


def _show_goals(model) -> None:
    table = Table(box=None, pad_edge=False, title=f"{model.name}, {model.split}")
    for column in ("recipe", "accuracy", "points lost", "bytes", "instructions", "goal", ""):
        table.add_column(column, justify="left" if column in ("recipe", "") else "right")
    for row in model.rows:
        goal = f"{row.goal.points:g}, {100 * row.goal.share:g} %" if row.goal else ""
        reached = {True: "reached", False: "missed", None: ""}[model.reached(row)]
        table.add_row(
            row.recipe, f"{100 * row.accuracy:.2f} %", f"{model.points_lost(row):+.2f}",
            f"{100 * model.share(row):.1f} %",
            f"{row.instructions:,}" if row.instructions else "", goal, reached,
        )  # fmt: skip
    console.out.print(table)
