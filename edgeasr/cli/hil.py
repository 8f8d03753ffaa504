"""`edgeasr hil`: stream recordings to the firmware and compare it with the host."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from edgeasr import connect, project, speech
from edgeasr import hil as loop
from edgeasr.audio import Clip, catalog
from edgeasr.cli import asking, console, tables
from edgeasr.errors import CheckError, InputError
from edgeasr.graph import Graph

app = typer.Typer(add_completion=False)


@app.command()
def hil(
    folder: Annotated[Path, typer.Argument(metavar="PROJECT", help="A project that is built.")],
    clips: Annotated[
        list[Path] | None,
        typer.Option("--clips", "-c", help="Manifest CSV, data set or folder of classes."),
    ] = None,
    random: Annotated[
        int, typer.Option(min=0, help="Instead of recordings, so many random inputs.")
    ] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Of the random inputs.")] = 1,
    inputs: Annotated[
        list[Path] | None,
        typer.Option("--input", help="Instead of recordings, inputs: .npy, .bin, or a folder."),
    ] = None,
    self_test: Annotated[
        bool,
        typer.Option("--self-test", help="Instead of recordings, prove its clock, line, memory."),
    ] = False,
    split: Annotated[str, typer.Option(help="Split to stream: test, val, train, or all.")] = "test",
    limit: Annotated[int, typer.Option(min=0, help="At most so many clips; 0 is all.")] = 0,
    streams: Annotated[
        bool,
        typer.Option("--streams", help="Hear recordings as streams: compare each inference."),
    ] = False,
    engine: Annotated[
        str | None,
        typer.Option(
            help="Of a Raspberry Pi's project: its Python program, with TensorFlow Lite's "
            "reference kernels (tflite) or its fast ones (xnnpack)."
        ),
    ] = None,
    port: Annotated[
        str | None,
        typer.Option(help="Serial device or URL; auto finds a real board's, as does none at all."),
    ] = None,
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Run a real board's firmware in its simulator.")
    ] = False,
    baud: Annotated[
        int | None, typer.Option(help="Speed of a serial device; the board's by default.")
    ] = None,
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

    A model with state hears each recording as a stream of its own, and each inference is compared.
    --random N and --input send tensors, which needs no front end. Ends with 1 when one differs.
    """
    if junit:
        loop.check_writable(junit)
    made = project.load(folder)
    if engine:
        made = connect.as_engine(made, engine)
    given = [bool(clips), random > 0, bool(inputs), self_test]
    if sum(given) != 1:
        raise InputError(
            f"{folder}: {'nothing' if not any(given) else 'several things'} to send; give one of "
            "--clips MANIFEST, --random N, --input FILE, --self-test"
        )
    line = {"port": asking.port_of(made, port, simulate), "baud": baud, "log": log}
    if not clips:
        if junit or min_accuracy:
            raise InputError("--junit and --min-accuracy are about recordings; give --clips")
        if self_test:
            _prove(made, json, line)
            return
        check_tensors(_run_tensors(made, random, seed, inputs or [], json, line))
        return
    report = _hear(made, clips, split, limit, resample, line, streams=streams)
    if junit:
        loop.write_text(junit, report.junit())
        console.say(f"wrote {junit}")
    _show(report, json)
    check(report, min_accuracy)


def _hear(
    made: project.Project,
    sets: list[Path],
    split: str,
    limit: int,
    resample: bool,
    line: dict[str, object],
    *,
    streams: bool,
) -> loop.Report | loop.StreamReport:
    """Stream the recordings of data sets, as clips or, for a model with state, as streams."""
    everything = [clip for path in sets for clip in catalog.load(path)]
    wanted_split = None if split == "all" else split
    if streams or connect.load_model(made).graph.stateful:
        wanted = loop.select_streams(everything, split=wanted_split, limit=limit)
        return run_streams(made, wanted, resample=resample, **line)
    wanted, skipped = loop.select(everything, made.manifest.labels, split=wanted_split, limit=limit)
    if skipped:
        console.say(f"{skipped} clips have labels that the model lacks; they are left out")
    return run(made, wanted, resample=resample, **line)


def _show(report: loop.Report | loop.StreamReport, json: bool) -> None:
    if json:
        console.print_json(report.to_dict())
    elif isinstance(report, loop.StreamReport):
        tables.show_streams(report)
    else:
        tables.show_report(report)


def run(
    made: project.Project,
    clips: list[Clip],
    *,
    port: str | None = None,
    baud: int | None = None,
    log: Path | None = None,
    resample: bool = False,
) -> loop.Report:
    """Run the clips with a progress bar; an interruption keeps nothing half-written."""
    with _progress(len(clips)) as on_outcome:
        return loop.run(
            made, clips, port=port, baud=baud, log=log, resample=resample, on_outcome=on_outcome
        )


def run_streams(
    made: project.Project,
    clips: list[Clip],
    *,
    port: str | None = None,
    baud: int | None = None,
    log: Path | None = None,
    resample: bool = False,
) -> loop.StreamReport:
    """Stream the recordings with a progress bar."""
    with _progress(len(clips)) as on_outcome:
        return loop.run_streams(
            made, clips, port=port, baud=baud, log=log, resample=resample, on_outcome=on_outcome
        )


def _run_tensors(
    made: project.Project,
    random: int,
    seed: int,
    inputs: list[Path],
    json: bool,
    line: dict[str, object],
) -> loop.TensorReport:
    def make(graph: Graph) -> list[np.ndarray]:
        if inputs:
            return loop.read_inputs(inputs, graph)
        return loop.random_inputs(graph, random, seed)

    with console.progress() as bar:
        task = bar.add_task("connecting", total=None)

        def on_input(board: str, total: int) -> None:
            bar.update(task, description=f"inputs to {board}", advance=1, total=total)

        report = loop.run_tensors(made, make, on_input=on_input, **line)
    if json:
        console.print_json(report.to_dict())
    else:
        tables.show_tensors(report)
    return report


def _prove(made: project.Project, json: bool, line: dict[str, object]) -> None:
    with connect.connect(made, front_end=speech.OPTIONAL, **line) as connected:
        found = loop.prove(connected, console.say if json else console.out.print)
        if json:
            console.print_json({"board": connected.hello.board, "proved": found})


@contextlib.contextmanager
def _progress(total: int) -> Iterator[Callable[[str], None]]:
    with console.progress() as bar:
        task = bar.add_task("connecting", total=total)

        def on_outcome(board: str) -> None:
            bar.update(task, description=f"streaming to {board}", advance=1)

        yield on_outcome


def check(report: loop.Report | loop.StreamReport, min_accuracy: float = 0.0) -> None:
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


def check_tensors(report: loop.TensorReport) -> None:
    """Raise CheckError when an output of the device, or of a layer, is not the host's."""
    if report.unequal:
        raise CheckError(
            f"{report.board}: {len(report.unequal)} of {report.inputs} outputs differ from "
            f"{report.reference}; first that of input {report.unequal[0]}; nothing may differ"
        )
    if report.layers_unequal:
        raise CheckError(
            f"{report.board}: layer {report.layers_unequal[0]} differs from {report.reference}, "
            "though all outputs are equal; nothing may differ"
        )
