"""A firmware that listens to its own microphone: recorded digits through a FIFO are recognised."""

import contextlib
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgeasr import audio, client, paths, project, toolchain
from edgeasr.audio import catalog
from edgeasr.client import Event, Level, Scores
from edgeasr.connect import connect
from tests.boards.conftest import need_tools
from tests.sim.test_hil import edgeasr

_RATE_HZ = 16_000
_WARM_UP = 400 * _RATE_HZ // 1000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project for this computer with a microphone."""
    need_tools("host")
    made = tmp_path_factory.mktemp("microphone")
    facts = (paths.boards() / "host.toml").read_text() + '\n[microphone]\nkind = "alsa"\n'
    (made / "listener.toml").write_text(facts)
    done = edgeasr("export", "digits", "--board", "listener.toml", "--out", "p", cwd=made)
    assert done.returncode == 0, done.stderr
    toolchain.build(made / "p")
    return made / "p"


@contextlib.contextmanager
def _listening(folder: Path, fifo: Path) -> Iterator[str]:
    """Start the program with the FIFO as its microphone; give the URL of its line."""
    os.mkfifo(fifo)
    elf = toolchain.find_built(folder).elf
    command = [elf, "--listen", "0", "--microphone", fifo]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as program:
        try:
            yield f"socket://127.0.0.1:{program.stderr.readline().rsplit(':', 1)[1].strip()}"
        finally:
            program.kill()


@pytest.fixture(scope="module")
def spoken(shared_data: Path) -> np.ndarray:
    clips = [c for c in catalog.load(shared_data / "digits" / "manifest.csv") if c.split == "test"]
    pieces = [np.zeros(8000, np.int16)]
    for clip in clips[::60]:
        pieces += [audio.read_clip(clip), np.zeros(12_000, np.int16)]
    return np.concatenate(pieces)


def _without_dc(pcm: np.ndarray) -> np.ndarray:
    """The filter of ear_microphone.h on sound that begins with silence."""
    mean, out = 0, []
    for sample in pcm.tolist():
        out.append(sample - ((mean + (1 << 13)) >> 14))
        mean += ((sample << 14) - mean) >> 8
    return np.clip(out, -32768, 32767).astype(np.int16)


def _play(fifo: Path, pcm: np.ndarray) -> threading.Thread:
    def write() -> None:
        with contextlib.suppress(BrokenPipeError), fifo.open("wb") as stream:
            stream.write(np.concatenate([np.zeros(_WARM_UP, np.int16), pcm]).tobytes())

    playing = threading.Thread(target=write, daemon=True)
    playing.start()
    return playing


def test_it_hears_what_a_stream_of_the_same_sound_gives(
    folder: Path, spoken: np.ndarray, tmp_path: Path
) -> None:
    fifo = tmp_path / "fifo"
    with _listening(folder, fifo) as url, connect(project.load(folder), port=url) as connected:
        wanted = list(connected.device.stream([_without_dc(spoken)], scores=True))
        playing, got, levels = _play(fifo, spoken), [], []
        with contextlib.closing(connected.device.listen(scores=True, every_s=0.02)) as heard:
            for one in heard:
                (levels if isinstance(one, Level) else got).append(one)
                if isinstance(one, Level) and one.heard == len(spoken):
                    break
        playing.join(10)
        again = list(connected.device.stream([_without_dc(spoken)], scores=True))

    assert sum(isinstance(one, Event) for one in wanted) > 3
    for made in (got, again):
        assert [_plain(one) for one in made] == [_plain(one) for one in wanted]
    assert sum(level.samples for level in levels) == len(spoken)
    assert (
        max(level.peak for level in levels) == np.abs(_without_dc(spoken).astype(int)).max() / 32768
    )
    energy = sum(level.samples * level.rms**2 for level in levels)
    assert energy == pytest.approx(float(((_without_dc(spoken) / 32768.0) ** 2).sum()), rel=1e-6)


def _plain(one: Event | Scores) -> tuple:
    if isinstance(one, Event):
        return (one.label, one.score, one.sample)
    return (one.values.tobytes(), one.sample)


def _run(folder: Path, *argv: object) -> subprocess.CompletedProcess[str]:
    return edgeasr("run", folder, *argv, cwd=folder.parent)


def test_run_shows_words_and_levels(folder: Path, spoken: np.ndarray, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    with _listening(folder, fifo) as url:
        _play(fifo, spoken)
        done = _run(folder, "--port", url, "--level", "--json", "--seconds", 4)
        assert done.returncode == 0, done.stderr
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        words = [line for line in lines if "label" in line]
        assert len(words) > 3
        assert f"{len(words)} words recognised" in done.stderr
        assert max(line["peak_db"] for line in lines if "peak_db" in line) > -20


def test_a_microphone_that_gives_nothing_is_told(folder: Path, tmp_path: Path) -> None:
    with _listening(folder, tmp_path / "fifo") as url:
        done = _run(folder, "--port", url)
    assert done.returncode == 4
    assert "listener: its microphone gave nothing in 3." in done.stderr


def test_a_board_without_one_is_told(tmp_path: Path) -> None:
    need_tools("host")
    assert (
        edgeasr("export", "digits", "--board", "host", "--out", "p", cwd=tmp_path).returncode == 0
    )
    done = edgeasr("run", "p", cwd=tmp_path)
    assert done.returncode == 2
    assert "board host has no microphone; give a recording: --audio FILE" in done.stderr
    toolchain.build(tmp_path / "p")
    with (
        connect(project.load(tmp_path / "p")) as connected,
        pytest.raises(client.RefusedError, match="STREAM_BEGIN refused"),
    ):
        next(connected.device.listen())


def test_seconds_are_about_the_microphone(folder: Path, tmp_path: Path) -> None:
    done = _run(folder, "--audio", tmp_path / "x.wav", "--seconds", 1)
    assert done.returncode == 2
    assert "--seconds is about a microphone; leave --audio out" in done.stderr
