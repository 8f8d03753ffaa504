"""`edgeasr train`: recordings to an int8 speech model with its card."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from edgeasr import training
from edgeasr.cli import console
from edgeasr.errors import InputError, alternatives
from edgeasr.models.architectures import NAMES
from edgeasr.models.fitting import Epoch
from edgeasr.models.material import TASK_NAMES
from edgeasr.training import Observer, Options

app = typer.Typer(add_completion=False)

# Name: what differs from the zoo's front end.
_FRONT_ENDS = {
    "micro": {},
    "micro-nr": {"noise_reduction": True},
    "micro-pcan": {"pcan": True},
    "micro-pcan-nr": {"noise_reduction": True, "pcan": True},
}


@app.command()
def train(
    task: Annotated[str, typer.Argument(help=f"What to recognise: {', '.join(TASK_NAMES)}.")],
    data: Annotated[
        Path,
        typer.Option(help="Folder with digits/, keywords/ and noise/, or of one data set."),
    ],
    model: Annotated[str, typer.Option(help=f"Architecture: {', '.join(NAMES)}.")] = "ds_resnet",
    front_end: Annotated[str, typer.Option(help=f"Front end: {', '.join(_FRONT_ENDS)}.")] = "micro",
    seed: Annotated[int, typer.Option(min=0, help="Seed of weights and batches.")] = 1,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Times that all clips are shown; 75 to 80.")
    ] = None,
    synthetic: Annotated[
        int, typer.Option(min=0, help="Synthetic clips per word, for training; 0 for none.")
    ] = 200,
    out: Annotated[Path, typer.Option(help="Folder for NAME.tflite, .keras, .md, .json.")] = Path(
        "build/models"
    ),
    compare_front_ends: Annotated[
        bool, typer.Option(help="Train a short while with each front end and show how it does.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Train TASK on recordings, quantize it, measure it on speakers it never heard.

    On two cores the zoo's models take about 20 minutes each. What was computed is kept in the
    cache ($EDGEASR_CACHE): after Ctrl-C the same command goes on from there.
    """
    options = _options(task, model, front_end, seed, epochs, synthetic)
    watching = observer()
    if compare_front_ends:
        ends = {name: _front_end(name) for name in _FRONT_ENDS}
        rows = training.compare_front_ends(data, options, ends, watching)
        console.print_json(rows) if json else console.out.print(training.comparison_table(rows))
        return
    made = training.train(data, options, watching)
    files = training.write(made, out, _command(task, data))
    if json:
        console.print_json({"files": [str(file) for file in files], **made.card})
        return
    test = made.card["test"]
    console.out.print(
        f"{task}: {100 * test['accuracy']:.1f} % int8, {100 * test['accuracy_float']:.1f} % float "
        f"on {test['clips']} clips of test; {len(made.content):,} B; {made.card['macs']:,} MACs"
    )
    for file in files:
        console.out.print(f"wrote {file}", markup=False)


def _options(
    task: str, model: str, front_end: str, seed: int, epochs: int | None, synthetic: int
) -> Options:
    if task not in TASK_NAMES:
        raise InputError(f'task "{task}" is not known; {alternatives(task, TASK_NAMES)}')
    if model not in NAMES:
        raise InputError(f'model "{model}" is not known; {alternatives(model, NAMES)}')
    options = Options(task, model, synthetic=synthetic)
    recipe = training.RECIPES[task]
    return replace(
        options,
        window=replace(options.window, front_end=_front_end(front_end)),
        recipe=replace(recipe, seed=seed, epochs=epochs or recipe.epochs),
    )


def _front_end(name: str):
    if name not in _FRONT_ENDS:
        raise InputError(f'front end "{name}" is not known; {alternatives(name, _FRONT_ENDS)}')
    return replace(training.FRONT_END, **_FRONT_ENDS[name])


def _command(task: str, data: Path) -> str:
    """Return the command for the card: as given, but where results went, and no absolute path."""
    given = sys.argv[1:] if sys.argv[1:2] == ["train"] else ["train", task, "--data", str(data)]
    kept, skip = [], False
    for arg in given:
        if not skip and arg not in ("--json", "--out") and not arg.startswith("--out="):
            kept.append(Path(arg).name if Path(arg).is_absolute() else arg)
        skip = arg == "--out"
    return " ".join(["edgeasr", *kept])


def observer() -> Observer:
    return Observer(console.say, _on_clips(), _on_epoch)


def _on_clips() -> Callable[[str, int, int], None]:
    """Tell of each piece of work once when it begins, and of every thousandth clip."""
    begun: set[str] = set()

    def tell(what: str, done: int, total: int) -> None:
        if what not in begun or done % 1000 == 0 or done == total:
            console.say(f"{what}: {done:,}" + (f" of {total:,} clips" if total else " clips"))
        begun.add(what)

    return tell


def _on_epoch(epoch: Epoch, total: int) -> None:
    console.say(
        f"epoch {epoch.number} of {total}: loss {epoch.loss:.3f}, val "
        f"{100 * epoch.accuracy:.1f} %, class mean {100 * epoch.balanced:.1f} %"
    )
