"""`edgeasr run`: stream a recording to the firmware and show the words that it recognises."""

import json as jsonlib
import sys
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from edgeasr import audio, hil, project
from edgeasr.cli import asking, console
from edgeasr.connect import connect

app = typer.Typer(add_completion=False)


@app.command()
def run(
    folder: Annotated[Path, typer.Argument(metavar="PROJECT", help="A project that is built.")],
    recording: Annotated[
        Path, typer.Option("--audio", "-a", help="Recording of any length, mono.")
    ],
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
    """Stream a recording through the firmware of PROJECT and show each word when it is heard."""
    made = project.load(folder)
    line = asking.port_of(made, port, simulate)
    with connect(made, port=line, baud=baud, log=log) as connected:
        rate = connected.hello.sample_rate_hz
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


def _show(event: object, labels: tuple[str, ...], rate: int, json: bool) -> None:
    label, at = labels[event.label], event.sample / rate
    if json:
        line = {"time_s": round(at, 3), "label": label, "score": round(event.score / 255, 4)}
        print(jsonlib.dumps(line), flush=True)
        return
    console.out.print(f"{at:8.2f} s  {label:<16} {event.score / 255:.2f}", markup=False)
    sys.stdout.flush()
