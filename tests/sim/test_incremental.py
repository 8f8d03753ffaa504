"""Incremental firmware hears what TFLite-Micro hears of whole windows, bit for bit."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edgeasr import boards, deploy, hil, project, speech
from edgeasr.audio import Clip
from edgeasr.connect import check_firmware, connect
from edgeasr.errors import CheckError
from edgeasr.toolchain import build
from tests import tiny
from tests.boards.conftest import need_tools
from tests.sim.test_hil import edgeasr

_BOARDS = ["host", "qemu_mps2_an386"]


def _recording(path: Path, seconds: float, seed: int) -> Clip:
    """Noise whose loudness and colour change like those of speech."""
    rng = np.random.default_rng(seed)
    count = int(16_000 * seconds)
    loudness = np.repeat(rng.uniform(0, 1, count // 1600 + 1) ** 3, 1600)[:count]
    tones = np.sin(np.cumsum(np.repeat(rng.uniform(0.05, 1.5, count // 800 + 1), 800)[:count]))
    soundfile.write(path, 0.4 * loudness * (tones + rng.normal(0, 0.3, count)), 16_000)
    return Clip(path, "yes", split="test")


@pytest.fixture
def exported(tmp_path: Path):
    def make(board: str, hop: int = 4) -> project.Project:
        need_tools(board)
        model = speech.load(tiny.write_stream_model(tmp_path / "tiny.tflite", hop))
        made = deploy.export(model, boards.load(board), tmp_path / "p", incremental=True)
        build(made.folder)
        return made

    return make


@pytest.mark.parametrize("board", _BOARDS)
@pytest.mark.parametrize("hop", [2, 4])
def test_each_inference_of_a_stream_is_that_of_the_window(
    exported, tmp_path: Path, board: str, hop: int
) -> None:
    made = exported(board, hop)
    sounds = [_recording(tmp_path / f"{n}.wav", 1.5 + n, n) for n in range(2)]
    report = hil.run_streams(made, sounds)

    outputs = sum(o.inferences for o in report.outcomes)
    assert outputs > 180 // hop
    assert sum(o.unequal for o in report.outcomes) == 0
    assert report.agreement == 1
    assert sum(len(o.device) for o in report.outcomes) > 0


@pytest.mark.parametrize("board", _BOARDS)
def test_clips_and_tensors_are_heard_as_whole_windows(exported, tmp_path: Path, board: str) -> None:
    made = exported(board)
    sounds = [_recording(tmp_path / f"{n}.wav", 0.31 + 0.1 * n, n) for n in range(6)]
    report = hil.run(made, sounds)
    assert report.agreement == 1
    assert report.incremental
    tensors = hil.run_tensors(made, lambda graph: hil.random_inputs(graph, 20, 1))
    assert tensors.unequal == ()
    assert tensors.distinct_outputs > 3


def test_the_command_says_what_it_did(tmp_path: Path) -> None:
    tiny.write_stream_model(tmp_path / "tiny.tflite")
    common = ("export", "tiny.tflite", "-b", "host", "-o", "p")
    done = edgeasr(*common, "--incremental", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "an inference takes 4 of 15 frames" in done.stdout
    assert "after 4 of them" in done.stdout
    manifest = json.loads((tmp_path / "p" / "project.json").read_text())
    assert (manifest["hop"], manifest["steps"]) == (4, 4)
    assert f", state {manifest['state_bytes']} B\n" in done.stdout
    assert manifest["state_bytes"] > 0


def test_whole_and_incremental_firmware_are_not_mixed_up(exported) -> None:
    made = exported("host")
    with connect(made) as connected:
        hello, model = connected.hello, connected.model
    whole = dataclasses.replace(hello, frames=tiny.STREAM_FRAMES)
    with pytest.raises(
        CheckError,
        match=r"the device takes 15 frames an inference \(whole window\), the project's firmware "
        r"4 frames an inference \(incremental\); build the project, and flash it, again$",
    ):
        check_firmware(whole, made, model)
    other = dataclasses.replace(made, manifest=dataclasses.replace(made.manifest, hop=0, steps=1))
    with pytest.raises(
        CheckError,
        match=r"takes 4 frames an inference \(incremental\), the project's firmware 15 frames an "
        r"inference \(whole window\); build",
    ):
        check_firmware(hello, other, model)
    check_firmware(hello, made, model)
    check_firmware(whole, other, model)


def test_what_does_not_qualify_is_refused(tmp_path: Path) -> None:
    tiny.write_model(tmp_path / "padded.tflite")
    tiny.write_stream_model(tmp_path / "tiny.tflite", hop_frames=3)
    for name, options, wanted in (
        ("padded", (), "#0 CONV_2D: pads"),
        ("tiny", (), "the hop must be a multiple of 2"),
        ("tiny", ("--engine", "tflm"), "the engine tflm runs whole windows"),
        ("tiny", ("--bare",), "it has no front end"),
    ):
        done = edgeasr(
            "export", f"{name}.tflite", "-b", "host", "--incremental", *options, cwd=tmp_path
        )
        assert done.returncode == 2
        assert wanted in " ".join(done.stderr.split())
