"""`edgeasr quantize`: a trained Keras model to a full-integer speech model."""

from pathlib import Path
from typing import Annotated

import typer

from edgeasr import training
from edgeasr.cli import console
from edgeasr.units import format_bytes

app = typer.Typer(add_completion=False)


@app.command()
def quantize(
    model: Annotated[Path, typer.Argument(help="NAME.keras of 'edgeasr train'.")],
    data: Annotated[Path, typer.Option(help="Folder of recordings, as for 'edgeasr train'.")],
    out: Annotated[Path, typer.Option(help="The .tflite file to write.")],
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Quantize MODEL with training clips of DATA and write it as a speech model.

    The facts (labels, front end, scale, decision rule) are those of NAME.tflite beside MODEL.
    """
    result = training.requantize(model, data, out, console.say)
    if json:
        console.print_json(result)
        return
    console.out.print(
        f"wrote {out}: {format_bytes(result['size_bytes'])}, "
        f"{100 * result['test_accuracy']:.1f} % {result['activations']}, "
        f"{100 * result['test_accuracy_float']:.1f} % float on {result['test_clips']} clips "
        "of test",
        markup=False,
    )
