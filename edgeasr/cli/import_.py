"""`edgeasr import`: a model of PyTorch (.pt2) or ONNX becomes one that edgeasr quantizes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeasr.cli import console
from edgeasr.errors import InputError, alternatives
from edgeasr.units import format_bytes

if TYPE_CHECKING:
    from edgeasr.importing import Imported

app = typer.Typer(add_completion=False)


@app.command()
def import_(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL",
            help="A .pt2 file of torch.export.save, or an .onnx file; its input a window of "
            "features, its output one score for each label.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="NAME.keras or NAME.tflite; both are written."),
    ] = None,
    facts: Annotated[
        str | None,
        typer.Option(
            help="Labels, front end and decision rule: a TOML file, a .tflite that has them, or a "
            "model of the zoo whose features the model was trained on."
        ),
    ] = None,
    labels: Annotated[
        str | None, typer.Option(help="Labels of the outputs, with commas, instead of the facts'.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Recordings to calibrate with, or an .npy file of windows [n, frames, features]: "
            "NAME.tflite is quantized then, else in floats."
        ),
    ] = None,
    activations: Annotated[
        str | None, typer.Option(help="With --data: int8, int16. Without: dynamic, float16.")
    ] = None,
    softmax: Annotated[
        bool, typer.Option(help="Add a softmax where the model ends without.")
    ] = True,
    seed: Annotated[int, typer.Option(min=0, help="Of the random inputs compared.")] = 1,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Import MODEL, compare it with the original on random inputs, and write it.

    NAME.keras is what 'edgeasr quantize' takes, with the facts in NAME.tflite beside it.
    """
    from edgeasr import importing

    chosen = _activations(activations, data)
    target = out or Path(model.stem)
    if out and out.suffix not in (".keras", ".tflite"):
        raise InputError(f"{out}: NAME.keras or NAME.tflite is needed; both are written")
    names = tuple(label.strip() for label in labels.split(",")) if labels else ()
    known = importing.read_facts(facts, target.stem, names)
    made = importing.load(model, importing.window(known), softmax=softmax, seed=seed)
    if known:
        known = importing.settled(known, made)
    windows = None
    if data:
        windows = importing.calibration(data, known, made.built.model.input.shape[1:3])
        for problem in importing.problems(windows):
            console.say(problem)
    files = importing.write(made, known, target, chosen, windows)
    _report(made, files, chosen, importing.window(known) is not None, json)


def _activations(asked: str | None, data: Path | None) -> str:
    from edgeasr.quantize import ACTIVATIONS, INTEGER_ACTIVATIONS

    chosen = asked or ("int8" if data else "float32")
    if chosen not in ACTIVATIONS:
        raise InputError(
            f'--activations "{chosen}" is not known; {alternatives(chosen, ACTIVATIONS)}'
        )
    if chosen in INTEGER_ACTIVATIONS and data is None:
        raise InputError(f"--activations {chosen} needs recordings or windows; give --data")
    return chosen


def _report(
    made: Imported, files: tuple[Path, ...], activations: str, facts: bool, json: bool
) -> None:
    built, agreement = made.built, made.agreement
    frames, features = built.model.input.shape[1:3]
    if json:
        console.print_json(
            {
                "files": [str(file) for file in files], "frames": frames, "features": features,
                "labels": built.model.output.shape[-1], "activations": activations,
                "end": built.end, "difference": agreement.difference, "bound": agreement.bound,
                "inputs": agreement.inputs, "judge": agreement.judge,
            }
        )  # fmt: skip
        return
    order = "features before frames" if built.swapped else "frames before features"
    lines = [
        f"{made.file}: window of {frames} frames of {features} features ({order}), "
        f"{built.model.output.shape[-1]} scores" + (f"; {built.end}" if built.end else ""),
        str(agreement),
        *(f"wrote {file}: {format_bytes(file.stat().st_size)}" for file in files),
    ]
    console.out.print("\n".join(lines), markup=False)
    if not facts:
        console.say(
            "its front end is not known, so it runs on tensors alone ('edgeasr export --bare'); "
            f"import with --facts, or write {files[1].with_suffix('.toml').name} beside "
            f"{files[1].name}, for one that hears"
        )
