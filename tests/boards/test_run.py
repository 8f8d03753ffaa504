"""`edgeasr run`: recordings, this computer's microphone, the board's own; lines and a view."""

import io
import json
import os
import shlex
import signal
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from rich.console import Console
from typer.testing import CliRunner

from edgeasr import boards, cli, connect, deploy, paths, speech, toolchain
from edgeasr.cli import live, sounds
from edgeasr.client import Event, Level, Scores, level_of
from edgeasr.errors import EdgeasrError, InputError, ToolError
from edgeasr.project import Project
from tests import tiny
from tests.boards.conftest import need_tools

RATE = 16_000

# Plays a file into the program's microphone as fast as it was spoken, and hands it the line.
_PLAYER = """#!{python}
import os, sys, threading, time
program, fifo, sound = sys.argv[1:]
os.mkfifo(fifo)
if os.fork() == 0:
    os.close(0), os.close(1)
    data = open(sound, "rb").read()
    with open(fifo, "wb") as line:
        begin = time.monotonic()
        for at in range(0, len(data), 3200):
            line.write(data[at:at + 3200])
            line.flush()
            time.sleep(max(0, begin + (at + 3200) / 32000 - time.monotonic()))
    os._exit(0)
os.execv(program, [program, "--microphone", fifo])
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A built project for a board that has a microphone, and runs on this computer."""
    need_tools("host")
    folder = tmp_path_factory.mktemp("run")
    text = (paths.boards() / "host.toml").read_text()
    text = text.replace("\n[runner]", '\n[microphone]\nkind = "alsa"\n\n[runner]')
    (folder / "desk.toml").write_text(text)
    model = speech.load(tiny.write_model(folder / "tiny.tflite"))
    made = deploy.export(model, boards.load(folder / "desk.toml"), folder / "tiny-desk")
    toolchain.build(made.folder)
    return made


@pytest.fixture
def sound() -> np.ndarray:
    """Two seconds of noise, a tenth of it too loud."""
    rng = np.random.default_rng(5)
    pcm = rng.normal(0, 3000, 2 * RATE)
    pcm[-8000:-6400] *= 20
    return np.clip(np.rint(pcm), -32768, 32767).astype(np.int16)


@pytest.fixture
def heard_line(project, sound, tmp_path) -> str:
    """A line to the program, whose microphone hears the sound."""
    player = tmp_path / "player"
    player.write_text(_PLAYER.format(python=sys.executable))
    player.chmod(0o755)
    (tmp_path / "sound").write_bytes(sound.tobytes())
    program = project.folder / "build" / "tiny"
    words = [player, program, tmp_path / "fifo", tmp_path / "sound"]
    return f"exec:{shlex.join(map(str, words))}"


def edgeasr(*argv: object) -> tuple[str, EdgeasrError | None]:
    done = CliRunner().invoke(cli.app, [str(word) for word in argv])
    if done.exception is not None and not isinstance(done.exception, EdgeasrError):
        raise done.exception
    return done.stdout, done.exception


def test_the_boards_own_microphone(project, heard_line, sound):
    """Level and scores come while it listens, soon after they were spoken."""
    with connect.connect(project, port=heard_line) as connected:
        stream = list(sounds.board(connected, scores=True, seconds=2.2))
        levels = [heard.what for heard in stream if isinstance(heard.what, Level)]
        scores = [heard for heard in stream if isinstance(heard.what, Scores)]

        # Warm-up is not heard; all else that was played is.
        assert sum(level.samples for level in levels) == levels[-1].heard
        assert levels[-1].heard >= RATE
        assert sum(level.clipped for level in levels) > 100
        assert len(scores) > 10
        assert all(score.latency_s < 2 for score in scores[5:])
        # It can be asked for anything else afterwards.
        assert connected.device.hello() == connected.hello


def test_run_hears_it_in_lines_and_in_json(project, heard_line):
    said, refused = edgeasr(
        "run", project.folder, "--port", heard_line, "--seconds", "1.5", "--level", "--json"
    )

    assert refused is None
    lines = [json.loads(line) for line in said.splitlines()]
    levels = [line for line in lines if "level_db" in line]
    assert levels
    assert max(line["level_db"] for line in levels) > -30
    assert [line["time_s"] for line in levels] == sorted(line["time_s"] for line in levels)


def test_ctrl_c_ends_it_in_peace(project, heard_line):
    """It reaches the program at the other end of the line, too."""
    running = subprocess.Popen(
        [sys.executable, "-m", "edgeasr", "run", project.folder, "--port", heard_line, "--level"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert " s  " in running.stdout.readline()
    os.killpg(running.pid, signal.SIGINT)

    said = running.communicate(timeout=60)[1]

    assert running.returncode == 0, said
    assert said.endswith(" words recognised\n")
    assert "Traceback" not in said


def test_this_computers_microphone(project, sound, tmp_path, monkeypatch):
    (tmp_path / "sound").write_bytes(sound.tobytes())
    recorder = tmp_path / "arecord"
    recorder.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\nexec cat {tmp_path}/sound\n')
    recorder.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    said, refused = edgeasr(
        "run", project.folder, "--microphone", "--seconds", "1.5", "--level", "--json"
    )

    assert refused is None
    assert (tmp_path / "asked").read_text() == "-q -t raw -f S16_LE -c 1 -r 16000\n"
    levels = [json.loads(line) for line in said.splitlines() if "level_db" in line]
    assert [line["time_s"] for line in levels] == [0.5, 1.0, 1.5]

    recorder.write_text("#!/bin/sh\necho 'ALSA lib x' >&2\necho 'audio open error' >&2\nexit 1\n")
    _, refused = edgeasr("run", project.folder, "--microphone", "--seconds", "1")
    assert isinstance(refused, ToolError)
    assert str(refused) == (
        "arecord: ended, and said: audio open error; is a microphone plugged in? 'arecord -l' "
        "lists them"
    )


def test_two_sources_are_one_too_many(project, tmp_path):
    _, refused = edgeasr("run", project.folder, "--microphone", "--audio", tmp_path / "x.wav")

    assert isinstance(refused, InputError)
    assert "--audio and --microphone exclude each other" in str(refused)


def test_a_paced_recording_takes_its_time(project, sound, tmp_path):
    soundfile.write(tmp_path / "noise.wav", sound[:RATE], RATE)

    with connect.connect(project) as connected:
        heard = list(sounds.recording(connected, sound[:8000], scores=True, paced=True))

    late = [h.latency_s for h in heard if isinstance(h.what, Scores)]
    assert late
    assert all(0 <= latency_s < 3 for latency_s in late)
    said, refused = edgeasr("run", project.folder, "--audio", tmp_path / "noise.wav", "--level")
    assert refused is None
    assert "    0.50 s  level  -20." in said


def test_the_view_has_level_scores_and_words_in_their_place(project):
    with connect.connect(project) as connected:
        view = live.View(connected, level=False)
        loud = level_of(np.full(1600, 32767, np.int16), 1600)
        view.show(sounds.Heard(loud))
        values = np.array([-128, -64, 127, 0], np.int8)
        view.show(sounds.Heard(Scores(values, 3200)))
        for number in range(10):
            view.show(sounds.Heard(Event(2, 255, RATE * number), 0.123))
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(view.render())
    lines = console.export_text().splitlines()

    assert lines[0] == "tiny on desk"
    assert lines[1].startswith("█" * 40 + " level   -0.0 dB, peak   -0.0 dB, 1600 samples clipped")
    assert lines[2].split()[0] == "yes"
    assert lines[2].endswith("1.00")
    assert lines[5].split()[0] == "_silence_"
    assert lines[5].endswith("0.00")
    assert len(lines) == 6 + 8, "the last eight words"
    assert lines[-1].split() == ["9.00", "s", "yes", "1.00", "123", "ms"]
    assert view.words == 10


def test_levels():
    assert level_of(np.zeros(10, np.int16), 10).decibels == pytest.approx(-96.3, abs=0.1)
    square = np.array([16384, -16384] * 8, np.int16)
    assert level_of(square, 16).decibels == pytest.approx(-6.02, abs=0.01)
    assert level_of(square, 16).peak_decibels == pytest.approx(-6.02, abs=0.01)
    assert level_of(np.array([-32768, 32767, 5], np.int16), 3).clipped == 2
