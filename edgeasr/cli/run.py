"""`edgeasr run`: show the words that the firmware recognises in a recording or a microphone."""

import contextlib
import json as jsonlib
import math
import sys
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from edgeasr import audio, boards, hil, project
from edgeasr.cli import asking, console
from edgeasr.client import Event, Level
from edgeasr.connect import Connected, connect
from edgeasr.errors import InputError, LinkError

app = typer.Typer(add_completion=False)

# A microphone that gave nothing for so long gives nothing.
_SILENT_S = 3.0
# Half of the smallest sample, -96 dB, and columns of the bar that shows -90 to 0 dB.
_QUIETEST = 2**-16
_BAR = 30


@app.command()
def run(
    folder: Annotated[Path, typer.Argument(metavar="PROJECT", help="A project that is built.")],
    recording: Annotated[
        Path | None,
        typer.Option(
            "--audio", "-a", help="Recording of any length, mono; the board's microphone without."
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
    level: Annotated[
        bool, typer.Option("--level", help="Show how loud the microphone is, and what it clips.")
    ] = False,
    seconds: Annotated[float, typer.Option(min=0, help="Listen so long; 0 is until Ctrl-C.")] = 0.0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Show each word that the firmware of PROJECT recognises, when it is heard.

    It hears a recording that is sent to it, or else the board's own microphone.
    """
    made = project.load(folder)
    if recording is None:
        _check_microphone(made)
    elif level or seconds:
        raise InputError("--level and --seconds are about the microphone; leave --audio out")
    line = asking.port_of(made, port, simulate)
    with connect(made, port=line, baud=baud, log=log) as connected:
        rate = connected.hello.sample_rate_hz
        if recording is None:
            _listen(connected, seconds, json=json, level=level)
            return
        pcm = audio.read(recording, rate)
        console.say(f"{recording.name}: {len(pcm) / rate:.1f} s to {connected.hello.board}")
        # As long a silence as lets the model hear a word at the very end: its window, or, as nobody
        # knows how far a state reaches, that which follows a clip.
        silence = max(connected.hello.clip_samples, int(hil.TAIL_S * rate))
        quiet = np.zeros(silence, np.int16)
        heard = 0
        for event in connected.device.stream([pcm, quiet]):
            heard += 1
            _show(event, connected.hello.labels, rate, json)
    console.say(f"{heard} words recognised")


def _check_microphone(made: project.Project) -> None:
    board = boards.of_project(made.folder, made.manifest.board)
    if board.microphone is None:
        raise InputError(
            f"{made.folder}: board {board.name} has no microphone; give a recording: --audio FILE"
        )


def _listen(connected: Connected, seconds: float, *, json: bool, level: bool) -> None:
    """Show what the microphone brings until the time is over, or Ctrl-C."""
    hello = connected.hello
    console.say(f"{hello.board} listens to its microphone{'' if seconds else '; Ctrl-C ends it'}")
    words, begin = 0, time.monotonic()
    with (
        contextlib.closing(connected.device.listen()) as heard,
        contextlib.suppress(KeyboardInterrupt),
    ):
        for one in heard:
            passed_s = time.monotonic() - begin
            if isinstance(one, Event):
                words += 1
                _show(one, hello.labels, hello.sample_rate_hz, json)
            elif not one.heard and passed_s > _SILENT_S:
                raise LinkError(
                    f"{hello.board}: its microphone gave nothing in {passed_s:.1f} s; is it "
                    f"connected as 'edgeasr boards show {hello.board}' says?"
                )
            elif level:
                _show_level(one, json)
            if seconds and passed_s >= seconds:
                break
    console.say(f"{words} words recognised")


def _show_level(level: Level, json: bool) -> None:
    rms_db, peak_db = (
        round(20 * math.log10(max(x, _QUIETEST)), 1) for x in (level.rms, level.peak)
    )
    if json:
        line = {"level_db": rms_db, "peak_db": peak_db, "clipped": level.clipped}
        print(jsonlib.dumps(line), flush=True)
        return
    bar = "=" * round((rms_db + 90) / 90 * _BAR)
    clipped = f"  {level.clipped} samples clipped" if level.clipped else ""
    console.out.print(
        f"{'':12}level {rms_db:6.1f} dB  peak {peak_db:6.1f} dB  |{bar:<{_BAR}}|{clipped}",
        markup=False,
    )


def _show(event: object, labels: tuple[str, ...], rate: int, json: bool) -> None:
    label, at = labels[event.label], event.sample / rate
    if json:
        line = {"time_s": round(at, 3), "label": label, "score": round(event.score / 255, 4)}
        print(jsonlib.dumps(line), flush=True)
        return
    console.out.print(f"{at:8.2f} s  {label:<16} {event.score / 255:.2f}", markup=False)
    sys.stdout.flush()
