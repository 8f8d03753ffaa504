"""`edgeasr hil`: stream recordings to the firmware and compare it with the host."""

from pathlib import Path
from typing import Annotated

import typer

from edgeasr import hil as loop
from edgeasr import project
from edgeasr.audio import catalog
from edgeasr.cli import console, tables
from edgeasr.errors import CheckError
from edgeasr.link import BAUD

app = typer.Typer(add_completion=False)


@app.command()
def hil(
    folder: Annotated[Path, typer.Argument(metavar="PROJECT", help="A project that is built.")],
    clips: Annotated[
        list[Path],
        typer.Option("--clips", "-c", help="Manifest CSV, data set or folder of classes."),
    ],
    split: Annotated[str, typer.Option(help="Split to stream: test, val, train, or all.")] = "test",
    limit: Annotated[int, typer.Option(min=0, help="At most so many clips; 0 is all.")] = 0,
    port: Annotated[
        str | None, typer.Option(help="Serial device or URL, instead of the board's runner.")
    ] = None,
    baud: Annotated[int, typer.Option(help="Speed of a serial device.")] = BAUD,
    log: Annotated[
        Path | None, typer.Option(help="Write every byte that passes to this file.")
    ] = None,
    resample: Annotated[
        bool, typer.Option("--resample", help="Convert clips of other rates, or stereo.")
    ] = False,
    min_accuracy: Annotated[
        float, typer.Option(min=0, max=100, help="Fail below this accuracy, in percent.")
    ] = 0.0,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML to this file.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Stream recordings through the firmware of PROJECT and check each against the host.

    Ends with 1 when any feature or score differs.
    """
    if junit:
        loop.check_writable(junit)
    made = project.load(folder)
    everything = [clip for path in clips for clip in catalog.load(path)]
    wanted, skipped = loop.select(
        everything, made.manifest.labels, split=None if split == "all" else split, limit=limit
    )
    if skipped:
        console.say(f"{skipped} clips have labels that the model lacks; they are left out")
    report = run(made, wanted, port=port, baud=baud, log=log, resample=resample)
    if junit:
        loop.write_text(junit, report.junit())
        console.say(f"wrote {junit}")
    if json:
        console.print_json(report.to_dict())
    else:
        tables.show_report(report)
    check(report, min_accuracy)


def run(
    made: project.Project,
    clips: list[loop.Clip],
    *,
    port: str | None = None,
    baud: int = BAUD,
    log: Path | None = None,
    resample: bool = False,
) -> loop.Report:
    """Run the clips with a progress bar; an interruption keeps nothing half-written."""
    with console.progress() as bar:
        task = bar.add_task("connecting", total=len(clips))

        def on_outcome(board: str) -> None:
            bar.update(task, description=f"streaming to {board}", advance=1)

        return loop.run(
            made, clips, port=port, baud=baud, log=log, resample=resample, on_outcome=on_outcome
        )


def check(report: loop.Report, min_accuracy: float = 0.0) -> None:
    """Raise CheckError when device and host disagree, or the accuracy is too low."""
    differing = [o for o in report.outcomes if not o.agrees]
    if differing:
        first = differing[0]
        raise CheckError(
            f"{report.board}: {len(differing)} of {len(report.outcomes)} clips differ from "
            f"{report.reference}; first {first.clip.id}: {first.disagreement}; nothing may differ"
        )
    if 100 * report.accuracy() < min_accuracy:
        raise CheckError(
            f"{report.board}: accuracy is {100 * report.accuracy():.2f} %, at least "
            f"{min_accuracy:g} % is asked for"
        )
