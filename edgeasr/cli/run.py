"""`edgeasr run`: let the firmware hear, and show the words that it recognises."""

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from edgeasr import audio, boards, project
from edgeasr.cli import asking, console, live, sounds
from edgeasr.connect import Connected, as_engine, connect
from edgeasr.errors import EdgeasrError, InputError

app = typer.Typer(add_completion=False)


@app.command()
def run(
    folder: Annotated[Path, typer.Argument(metavar="PROJECT", help="A project that is built.")],
    recording: Annotated[
        Path | None, typer.Option("--audio", "-a", help="Recording of any length, mono.")
    ] = None,
    microphone: Annotated[
        bool, typer.Option("--microphone", help="Hear this computer's microphone (arecord).")
    ] = False,
    pace: Annotated[
        bool, typer.Option("--pace", help="Stream the recording as fast as it was spoken.")
    ] = False,
    seconds: Annotated[
        float | None, typer.Option(min=0.1, help="Hear a microphone for so long; else to Ctrl-C.")
    ] = None,
    level: Annotated[
        bool, typer.Option("--level", help="Show how loud it is, and what is clipped.")
    ] = False,
    engine: Annotated[
        str | None,
        typer.Option(help="A Raspberry Pi's Python program: tflite, or xnnpack with fast kernels."),
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
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Let the firmware of PROJECT hear, and show each word when it is recognised.

    It hears the board's own microphone, a recording (--audio), or this computer's (--microphone).
    In a terminal level, scores and words have their place; elsewhere each word is a line.
    """
    made = project.load(folder)
    if engine:
        made = as_engine(made, engine)
    _check_source(made, recording, microphone, seconds)
    line = asking.port_of(made, port, simulate)
    with connect(made, port=line, baud=baud, log=log) as connected:
        kind = live.JsonLines if json else live.View if console.out.is_terminal else live.Lines
        scores = kind is live.View or level
        if recording:
            pcm = audio.read(recording, connected.hello.sample_rate_hz)
            length_s = len(pcm) / connected.hello.sample_rate_hz
            console.say(f"{recording.name}: {length_s:.1f} s to {connected.hello.board}")
            stream = sounds.recording(connected, pcm, scores=scores, paced=pace)
        elif microphone:
            stream = sounds.computer(connected, scores=scores, seconds=seconds)
        else:
            stream = sounds.board(connected, scores=scores, seconds=seconds)
        _show(connected, kind(connected, level=level), stream, ends=recording is not None)


def _show(connected: Connected, view: live.Lines, stream: Iterator, *, ends: bool) -> None:
    """Show what comes; Ctrl-C is how one stops to hear a microphone."""
    with contextlib.nullcontext() if ends else _ctrl_c() as stopped:
        try:
            with contextlib.closing(stream), view:
                for heard in stream:
                    view.show(heard)
                    if stopped:
                        break
        except EdgeasrError:
            # Ctrl-C ends a program at the other end of the line too, and the recorder.
            if not stopped:
                raise
    console.say(f"{view.words} words recognised")


@contextlib.contextmanager
def _ctrl_c() -> Iterator[list[int]]:
    """Yield a list that is empty until Ctrl-C is pressed."""
    pressed: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: pressed.append(number))
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)


def _check_source(
    made: project.Project, recording: Path | None, microphone: bool, seconds: float | None
) -> None:
    if recording and microphone:
        raise InputError("--audio and --microphone exclude each other; give one of them")
    if recording and seconds is not None:
        raise InputError("--seconds is about a microphone; leave --audio out")
    board = boards.of_project(made.folder, made.manifest.board)
    if not recording and not microphone and board.microphone is None:
        raise InputError(
            f"{made.folder}: board {board.name} has no microphone; give a recording: --audio FILE, "
            "or --microphone for this computer's"
        )
