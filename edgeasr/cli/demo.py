"""`edgeasr demo`: the whole path with the zoo's digits, from export to a confusion matrix."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from edgeasr import boards, deploy, toolchain
from edgeasr import hil as loop
from edgeasr.audio import Clip, catalog, tasks, voices
from edgeasr.audio import fetch as download
from edgeasr.cli import console, hil, tables
from edgeasr.errors import EdgeasrError

app = typer.Typer(add_completion=False)

_PUBLIC_SET = "fsdd"


@app.command()
def demo(
    data: Annotated[
        Path | None, typer.Option(help="Recordings of digits, instead of a public set.")
    ] = None,
    board: Annotated[str, typer.Option("--board", "-b", help="Board to run on.")] = (
        "qemu_mps2_an386"
    ),
    limit: Annotated[int, typer.Option(min=1, help="How many recordings to stream.")] = 60,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the project.")] = Path(
        "build/demo"
    ),
) -> None:
    """Export the zoo's digits model, build it, and stream real speech to it.

    Without --data the public Free Spoken Digit Dataset is fetched; offline, espeak-ng speaks.
    """
    model = deploy.load_model(deploy.DEFAULT_MODEL)
    chosen = boards.load(board)
    console.say(f"1. exporting {model.name} for {chosen.title} to {out}")
    made = deploy.export(model, chosen, out, replace=True)
    console.say("2. building")
    tables.show_build(toolchain.build(made.folder), chosen)
    clips, split, said = _recordings(data, out.parent)
    wanted, _ = loop.select(clips, model.facts.labels, split=split, limit=limit)
    console.say(f"3. streaming {len(wanted)} recordings: {said}")
    report = hil.run(made, wanted, resample=True)
    tables.show_report(report)
    hil.check(report)


def _recordings(data: Path | None, folder: Path) -> tuple[list[Clip], str | None, str]:
    """Return clips, the split of them to stream (None: all), and what they are."""
    if data is not None:
        return catalog.load(data), "test", str(data)
    try:
        found = download.fetch(_PUBLIC_SET, folder / "data")
        return catalog.load(found), "test", "the Free Spoken Digit Dataset"
    except EdgeasrError as error:
        console.say(f"no public recordings ({error})")
    spoken = folder / "spoken"
    shutil.rmtree(spoken, ignore_errors=True)
    clips = voices.synthesize(
        tasks.words("digits"), spoken, per_word=6, engine_names=("espeak-ng",)
    )
    return clips, None, "spoken by espeak-ng, for want of real recordings"
