"""`edgeasr export`: a speech model and a board become a firmware project."""

from pathlib import Path
from typing import Annotated

import typer

from edgeasr import boards, deploy, speech
from edgeasr.cli import console
from edgeasr.codegen import manifests
from edgeasr.project import Manifest, Project
from edgeasr.units import format_bytes, format_count

app = typer.Typer(add_completion=False)


@app.command()
def export(
    model: Annotated[
        str, typer.Argument(help="A speech model (.tflite), or a name of the zoo.")
    ] = deploy.DEFAULT_MODEL,
    board: Annotated[
        str, typer.Option("--board", "-b", help="A board of 'edgeasr boards', or a board file.")
    ] = ...,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder to write [MODEL-BOARD].")
    ] = None,
    engine: Annotated[
        str,
        typer.Option(
            help="What runs the model: ear, tflm (TFLite-Micro), or on Linux tflite "
            "(TensorFlow Lite)."
        ),
    ] = "ear",
    packing: Annotated[
        str | None,
        typer.Option(
            help="Weights of the engine ear in flash: smallest (the default), or raw int8."
        ),
    ] = None,
    facts: Annotated[
        Path | None,
        typer.Option(help="Labels, front end and decision rule: TOML, JSON, or microWakeWord's."),
    ] = None,
    bare: Annotated[
        bool, typer.Option("--bare", help="Without a front end: firmware for tensors alone.")
    ] = False,
    incremental: Annotated[
        bool,
        typer.Option(
            "--incremental", help="Compute what a hop's frames change, and keep the rest."
        ),
    ] = False,
    project: Annotated[
        str,
        typer.Option(
            help="What builds it: cmake, arduino, platformio, zephyr or esp-idf. With another than "
            "cmake, BOARD says what the model must fit."
        ),
    ] = manifests.CMAKE,
    force: Annotated[bool, typer.Option("--force", help="Replace a project in OUT.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Write the firmware project of MODEL for a board.

    The folder builds without edgeasr: by CMake, or by what --project names.
    """
    front_end = speech.NONE if bare else speech.OPTIONAL
    speech_model = deploy.load_model(model, facts=facts, front_end=front_end)
    chosen = boards.load(board)
    folder = out or Path(f"{deploy.program_name(speech_model)}-{chosen.name}")
    made = deploy.export(
        speech_model, chosen, folder, engine=engine, packing=packing, kind=project, replace=force,
        incremental=incremental,
    )  # fmt: skip
    if json:
        console.print_json(_result(made))
        return
    manifest = made.manifest
    weights, packed = _weights(manifest)
    if not speech_model.hears:
        console.say("no front end: this firmware takes tensors; check it with hil --random N")
    elif not speech_model.is_embedded:
        console.say(f"facts: {speech_model.source}")
    if speech_model.hears and (doubt := speech_model.scores_doubt):
        console.say(f"{speech_model.path.name}: {doubt}")
    console.out.print(
        f"{made.folder}: model {manifest.model_name} for {chosen.title}, engine {engine}\n"
        f"  {len(manifest.layers)} layers, {format_count(_macs(manifest))} MACs an inference\n"
        f"  constants {format_bytes(manifest.constant_bytes)}, "
        f"arena {format_bytes(manifest.arena_bytes)}{_state(manifest)}\n{_saving(weights, packed)}"
        f"{_kept(speech_model, manifest)}"
        f"next: {_next(made, project)}",
        markup=False,
    )


def _next(made: Project, kind: str) -> str:
    if kind == manifests.CMAKE:
        return f"edgeasr build {made.folder}"
    return f"{made.folder / 'README.md'} says how to build it"


def _result(made: Project) -> dict[str, object]:
    manifest = made.manifest
    weights, packed = _weights(manifest)
    return {
        "project": str(made.folder),
        "board": manifest.board,
        "engine": manifest.engine,
        "model": manifest.model_name,
        "model_sha256": manifest.model_sha256,
        "arena_bytes": manifest.arena_bytes,
        "state_bytes": manifest.state_bytes,
        "constant_bytes": manifest.constant_bytes,
        "weights": weights,
        "weight_bytes": packed,
        "macs": _macs(manifest),
        "layers": len(manifest.layers),
        "hop": manifest.hop,
        "steps": manifest.steps,
    }


def _macs(manifest: Manifest) -> int:
    return sum(layer.macs for layer in manifest.layers)


def _state(manifest: Manifest) -> str:
    return f", state {format_bytes(manifest.state_bytes)}" if manifest.state_bytes else ""


def _kept(model: speech.SpeechModel, manifest: Manifest) -> str:
    """Return what incremental inference does; nothing for whole windows."""
    if not manifest.hop:
        return ""
    whole, share = deploy.macs(model), 100 * _macs(manifest) / deploy.macs(model)
    return (
        f"  incremental: an inference takes {manifest.hop} of {model.facts.frames} frames, "
        f"{share:.1f} % of the {format_count(whole)} MACs of a window; the first result comes "
        f"after {manifest.steps} of them\n"
    )


def _weights(manifest: Manifest) -> tuple[int, int]:
    """Return how many weights there are, and the bytes that they take."""
    layers = manifest.layers
    return sum(at.weight_count for at in layers), sum(at.weight_bytes for at in layers)


def _saving(weights: int, packed: int) -> str:
    if weights == packed:
        return ""
    share = 100 * packed / weights
    return f"  weights packed to {format_bytes(packed)} of {format_bytes(weights)}, {share:.1f} %\n"
