"""Models that others trained, from sound to words on simulated boards, bit for bit as the host."""

import csv
import json
import os
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgeasr import hil, project
from edgeasr.audio import Clip, read_clip
from edgeasr.connect import connect
from edgeasr.hil.streams import host_stream
from tests.boards.conftest import need_tools
from tests.sim.test_hil import edgeasr

MICRO_SPEECH = "tflm_micro_speech_quantized"
Build = Callable[..., Path]


@pytest.fixture
def built(shared_data: Path, tmp_path: Path) -> Build:
    """Export and build a model of the shared ones; the folder is that of its project."""

    def build(name: str, board: str, *options: object) -> Path:
        need_tools(board)
        path = shared_data / "models" / f"{name}.tflite"
        made = edgeasr("export", path, "-b", board, "-o", "p", *options, cwd=tmp_path)
        assert made.returncode == 0, made.stderr
        done = edgeasr("build", "p", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return tmp_path / "p"

    return build


def _manifest(folder: Path, shared_data: Path, wanted: Callable[[str], bool]) -> Path:
    """Write a manifest of the recordings whose file is wanted."""
    source = shared_data / "keywords"
    with (source / "manifest.csv").open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if wanted(row["file"])]
    path = folder / "clips.csv"
    with path.open("w", newline="") as stream:
        held = csv.writer(stream)
        held.writerow(["file", "label", "split"])
        for row in rows:
            held.writerow([os.path.relpath(source / row["file"], folder), row["label"], "test"])
    return path


def _run(folder: Path, *options: object) -> dict:
    done = edgeasr("hil", folder, *options, "--json", cwd=folder.parent)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_micro_speech_hears_the_recordings_of_its_own_tests(
    built: Build, shared_data: Path, tmp_path: Path
) -> None:
    folder = built(MICRO_SPEECH, "qemu_mps2_an386")
    clips = _manifest(tmp_path, shared_data, lambda file: file.startswith("tflm/"))

    report = _run(folder, "--clips", clips)

    heard = {Path(row["clip"]).stem: row["device"] for row in report["results"]}
    assert heard == {
        "yes_1000ms": "yes",
        "no_1000ms": "no",
        "noise_1000ms": "_silence_",
        "silence_1000ms": "_silence_",
    }
    assert report["agreement"] == 1.0


@pytest.mark.parametrize("word", ["alexa", "hey_jarvis"])
def test_a_wake_word_is_found_and_nothing_else(
    built: Build, shared_data: Path, tmp_path: Path, word: str
) -> None:
    manifest = shared_data / "models" / "inputs" / f"mww_v2_{word}.json"
    folder = built(f"mww_v2_{word}", "qemu_mps2_an386", "--facts", manifest)
    others = ("wake/jarvis/2", "wake/smart_mirror/1", "wake/alexa/10")
    clips = _manifest(tmp_path, shared_data, lambda f: f.startswith(("mww/", *others)))

    report = _run(folder, "--clips", clips)

    assert report["spoken"] >= 3
    assert (report["detected_device"], report["missed_device"]) == (report["spoken"], 0)
    assert (report["false_device"], report["agreement"]) == (0, 1.0)
    assert report["inferences"] > 1000
    assert report["inferences_unequal"] == 0
    assert report["detected_host"] == report["detected_device"]


def test_a_clip_of_a_streaming_model_is_its_highest_mean(built: Build, shared_data: Path) -> None:
    folder = built("mww_v2_alexa", "host")
    path = shared_data / "keywords" / "mww" / "alexa_1.flac"
    pcm = np.concatenate([read_clip(Clip(path, "alexa")), np.zeros(8000, np.int16)])

    with connect(project.load(folder)) as connected:
        device = connected.device
        quiet = device.clip(np.zeros(16_000, np.int16))
        first, again = device.clip(pcm), device.clip(pcm)
        scores, events, crc = host_stream(hil.Reference(connected.model, "host"), pcm)

    outputs = b"".join(score.values.tobytes() for score in scores)
    for heard in (first, again):
        assert (heard.inferences, heard.features_crc) == (len(scores), crc)
        assert heard.outputs_crc == zlib.crc32(outputs)
        assert heard.had_event is (len(events) == 1) is True
        assert heard.peak.score >= events[0].score > 229
    assert not quiet.had_event
    assert quiet.peak.score < 26


@pytest.mark.parametrize(
    ("name", "board", "count", "options"),
    [
        ("tflm_audio_preprocessor_int8", "qemu_mps2_an386", 60, ["--bare"]),
        ("mltk_tinyml_keyword_spotting", "host", 20, ["--bare"]),
        ("mww_v1_alexa", "host", 120, []),
        (MICRO_SPEECH, "qemu_mps2_an386", 10, []),
    ],
)
def test_tensors_agree_bit_for_bit(
    built: Build, name: str, board: str, count: int, options: list[str]
) -> None:
    folder = built(name, board, *options)
    report = _run(folder, "--random", count, "--seed", 7)
    assert (report["inputs"], report["unequal"]) == (count, [])
    assert report["distinct_outputs"] > 1 or name.startswith("mww")


def test_inputs_that_came_with_a_model(built: Build, shared_data: Path) -> None:
    folder = built("mlonmcu_micro_speech_custom_lr", "host")
    inputs = shared_data / "models" / "inputs" / "micro_speech_custom_lr" / "input"
    report = _run(folder, "--input", inputs)
    assert (report["inputs"], report["unequal"]) == (3, [])


def test_a_bare_model_says_that_it_cannot_hear(built: Build, shared_data: Path) -> None:
    folder = built(MICRO_SPEECH, "host", "--bare")
    recording = shared_data / "keywords" / "tflm" / "yes_1000ms.flac"
    for command in (["run", folder, "--audio", recording], ["hil", folder, "-c", shared_data]):
        done = edgeasr(*command, cwd=folder.parent)
        assert done.returncode == 2
        assert "name no front end, so it runs on tensors alone and cannot hear" in done.stderr
