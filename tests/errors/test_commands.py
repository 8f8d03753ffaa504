"""What people get for wrong input: one sentence, the right exit code, nothing left behind."""

import dataclasses
import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edgeasr import paths
from edgeasr.graph import Graph, Op, Tensor
from tests import tiny
from tests.conftest import need
from tests.vectors.kernels.tflite_builder import serialize

INPUT, CHECK, TOOL, LINK = 2, 1, 3, 4


def edgeasr(*argv: object, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edgeasr", *map(str, argv)],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def refused(done: subprocess.CompletedProcess[str], code: int, *says: str) -> None:
    """Assert a sentence on stderr with all of `says`, and no traceback."""
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == code, done.stderr + done.stdout
    for part in says:
        assert part in done.stderr


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return tiny.write_model(tmp_path / "tiny.tflite")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built project for this computer."""
    need("gcc", "cmake", "ninja")
    folder = tmp_path_factory.mktemp("project")
    tiny.write_model(folder / "tiny.tflite")
    assert edgeasr("export", "tiny.tflite", "--board", "host", cwd=folder).returncode == 0
    assert edgeasr("build", "tiny-host", cwd=folder).returncode == 0
    return folder / "tiny-host"


def _left_alone(folder: Path, *known: str) -> None:
    assert sorted(p.name for p in folder.iterdir()) == sorted(known)


@pytest.mark.parametrize("content", [b"", b"RIFF" * 20, b"\x1c\0\0\0TFL3" + b"\xff" * 80])
def test_not_a_model(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "kws.tflite").write_bytes(content)

    done = edgeasr("export", "kws.tflite", "--board", "host", cwd=tmp_path)

    refused(done, INPUT, "edgeasr: kws.tflite: ")
    _left_alone(tmp_path, "kws.tflite")


def test_truncated_model(model: Path, tmp_path: Path) -> None:
    model.write_bytes(model.read_bytes()[:-700])

    done = edgeasr("export", "tiny.tflite", "--board", "host", cwd=tmp_path)

    refused(done, INPUT, "edgeasr: tiny.tflite: ")
    _left_alone(tmp_path, "tiny.tflite")


def test_unknown_model_lists_the_zoo(tmp_path: Path) -> None:
    done = edgeasr("export", "digitz", "--board", "host", cwd=tmp_path)

    refused(done, INPUT, 'model "digitz" not found', "digits, keywords")


def test_float_model(tmp_path: Path) -> None:
    tensors = (Tensor(0, "in", (1, 4), "float32"), Tensor(1, "out", (1, 4), "float32"))
    float_graph = Graph("main", tensors, (Op(0, "SOFTMAX", (0,), (1,), {"beta": 1.0}),), (0,), (1,))
    (tmp_path / "float.tflite").write_bytes(serialize(float_graph))

    done = edgeasr("inspect", "float.tflite", cwd=tmp_path)

    refused(done, CHECK, "operator #0 SOFTMAX", '"in" is float32', "quantize the model first")


def test_unsupported_operation(tmp_path: Path) -> None:
    tensors = tuple(
        Tensor(i, name, (1, 4), "int8", None, tiny.quantized(0.1))
        for i, name in enumerate(("in", "out"))
    )
    graph = Graph("main", tensors, (Op(0, "ATAN2", (0, 0), (1,)),), (0,), (1,))
    (tmp_path / "atan2.tflite").write_bytes(serialize(graph))

    done = edgeasr("inspect", "atan2.tflite", cwd=tmp_path)

    refused(
        done,
        CHECK,
        "operator #0 ATAN2: not supported",
        'tensor "out" (int8)',
        "supported operators: ",
    )


def test_unknown_board(model: Path, tmp_path: Path) -> None:
    done = edgeasr("export", model, "--board", "qemu_mps2_an368", cwd=tmp_path)

    refused(done, INPUT, 'board "qemu_mps2_an368" not found', "qemu_mps2_an386")
    _left_alone(tmp_path, "tiny.tflite")


def test_unknown_engine(model: Path, tmp_path: Path) -> None:
    done = edgeasr("export", model, "--board", "host", "--engine", "onnx", cwd=tmp_path)

    refused(done, INPUT, 'engine "onnx" not found; allowed: ear, tflite, tflm')
    done = edgeasr("bench", model, "--board", "host", "--engines", "ear,onnx", cwd=tmp_path)
    refused(done, INPUT, 'engine "onnx" not found; allowed: bakenn, ear, tflite, tflm, xnnpack')


def test_packing_is_for_the_ear_engine_alone(model: Path, tmp_path: Path) -> None:
    options = ("--board", "host", "--engine", "tflm", "--packing", "raw")

    done = edgeasr("export", model, *options, cwd=tmp_path)

    refused(done, INPUT, 'packing "raw": the tflm engine takes weights as the .tflite has them')
    _left_alone(tmp_path, "tiny.tflite")


def test_a_library_that_is_missing(model: Path, tmp_path: Path) -> None:
    """Building is refused before any work; a comparison says it, and goes on with the rest."""
    need("gcc", "g++", "cmake", "ninja")
    without = {"TFLM_ROOT": "", "TFLM_LIBRARY": "", "TFLM_INCLUDE_DIRS": ""}
    options = ("--board", "host", "--engine", "tflm", "--out", "p")
    assert edgeasr("export", model, *options, cwd=tmp_path).returncode == 0

    done = edgeasr("build", "p", cwd=tmp_path, **without)
    refused(done, TOOL, "TFLM_ROOT is not set", "BUILD_TYPE=release microlite")
    assert not (tmp_path / "p" / "build").exists()
    done = edgeasr("build", "p", "--tflm-root", tmp_path, cwd=tmp_path, **without)
    refused(done, TOOL, f"TFLM_ROOT: {tmp_path} holds no TFLite-Micro")

    done = edgeasr("bench", model, "--board", "host", "--json", cwd=tmp_path, **without)
    assert done.returncode == 0, done.stderr
    ear, tflm = json.loads(done.stdout)[0]["engines"]
    assert ear["flash_bytes"] > 0
    assert set(tflm) == {"engine", "why", "failed"}
    assert tflm["why"].startswith("TFLite-Micro was not found: TFLM_ROOT is not set; in a checkout")


def test_what_only_tflite_micro_runs(tmp_path: Path) -> None:
    """The operation, its tensor and type are named, and the other engine proposed."""
    graph = tiny.graph()
    last = graph.tensors[8]
    odd = dataclasses.replace(last, index=9, name="sine", dtype="float32", quantization=None)
    wave = dataclasses.replace(last, index=10, name="wave", dtype="float32", quantization=None)
    ops = (*graph.ops, Op(4, "DEQUANTIZE", (8,), (9,)), Op(5, "SIN", (9,), (10,)))
    graph = dataclasses.replace(graph, tensors=(*graph.tensors, odd, wave), ops=ops, outputs=(10,))
    (tmp_path / "sine.tflite").write_bytes(serialize(graph))

    done = edgeasr("export", "sine.tflite", "--board", "host", "--bare", cwd=tmp_path)

    refused(done, INPUT, "SIN #5", "float32", "--engine tflm")
    options = ("--board", "host", "--bare", "--engine", "tflm")
    done = edgeasr("export", "sine.tflite", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_folder_that_is_not_empty(model: Path, tmp_path: Path) -> None:
    done = edgeasr("export", model, "--board", "host", "--out", tmp_path, "--force", cwd=tmp_path)

    refused(done, INPUT, "is not empty and not an edgeasr project")
    _left_alone(tmp_path, "tiny.tflite")


def test_model_that_does_not_fit(model: Path, tmp_path: Path) -> None:
    text = (paths.boards() / "qemu_mps2_an386.toml").read_text()
    assert text.count("bytes = 0x400000") == 2
    small = text.replace("bytes = 0x400000", "bytes = 0x2000").replace("0x2000", "0x100", 1)
    (tmp_path / "small.toml").write_text(small)

    done = edgeasr("export", model, "--board", "small.toml", cwd=tmp_path)

    refused(done, CHECK, "model tiny needs at least", "of flash, board small has 256 B")
    _left_alone(tmp_path, "small.toml", "tiny.tflite")


def test_labels_with_control_characters(tmp_path: Path) -> None:
    tiny.write_model(tmp_path / "m.tflite", labels=("a", "b\n#error", "c", "d"))

    done = edgeasr("export", "m.tflite", "--board", "host", cwd=tmp_path)

    refused(done, INPUT, "label 1 is 'b\\n#error'; printable text is allowed")


def test_missing_compiler(model: Path, tmp_path: Path) -> None:
    assert edgeasr("export", model, "--board", "qemu_mps2_an386", cwd=tmp_path).returncode == 0
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("cmake", "ninja"):
        (tools / name).symlink_to(Path("/usr/bin") / name)

    done = edgeasr("build", "tiny-qemu_mps2_an386", cwd=tmp_path, PATH=str(tools))

    refused(done, TOOL, "arm-none-eabi-gcc", "apt-get install gcc-arm-none-eabi")


def test_build_of_no_project(tmp_path: Path) -> None:
    refused(edgeasr("build", ".", cwd=tmp_path), INPUT, "not an edgeasr project", "edgeasr export")


def test_hil_before_build(model: Path, tmp_path: Path) -> None:
    assert edgeasr("export", model, "--board", "host", cwd=tmp_path).returncode == 0
    clip = tmp_path / "clips" / "yes" / "a.wav"
    clip.parent.mkdir(parents=True)
    soundfile.write(clip, np.zeros(16000, np.int16), 16000)

    done = edgeasr("hil", "tiny-host", "--clips", "clips", "--split", "all", cwd=tmp_path)

    refused(done, INPUT, "is not built", "edgeasr build")


@pytest.mark.parametrize(
    ("samples", "rate", "says"),
    [
        (np.zeros((16000, 2), np.int16), 16000, "has 2 channels"),
        (np.zeros(8000, np.int16), 8000, "sample rate is 8000 Hz"),
        (np.zeros(0, np.int16), 16000, "holds no samples"),
    ],
)
def test_unusable_audio(
    project: Path, tmp_path: Path, samples: np.ndarray, rate: int, says: str
) -> None:
    clip = tmp_path / "yes" / "a.wav"
    clip.parent.mkdir()
    soundfile.write(clip, samples, rate)

    done = edgeasr("hil", project, "--clips", tmp_path, "--split", "all", cwd=tmp_path)

    refused(done, INPUT, "a.wav", says)


def test_audio_that_is_none(project: Path, tmp_path: Path) -> None:
    clip = tmp_path / "yes" / "a.wav"
    clip.parent.mkdir()
    clip.write_bytes(b"this is no sound")

    done = edgeasr("hil", project, "--clips", tmp_path, "--split", "all", cwd=tmp_path)

    refused(done, INPUT, "a.wav")


def test_clips_of_other_words(project: Path, tmp_path: Path) -> None:
    clip = tmp_path / "maybe" / "a.wav"
    clip.parent.mkdir()
    soundfile.write(clip, np.zeros(16000, np.int16), 16000)

    done = edgeasr("hil", project, "--clips", tmp_path, "--split", "all", cwd=tmp_path)

    refused(done, INPUT, "none with a label of the model (_silence_, _unknown_, yes, no)")


def _yes_clip(folder: Path) -> Path:
    clip = folder / "yes" / "a.wav"
    clip.parent.mkdir()
    soundfile.write(clip, np.zeros(16000, np.int16), 16000)
    return folder


def test_result_file_that_cannot_be_written(project: Path, tmp_path: Path) -> None:
    clips = _yes_clip(tmp_path)

    done = edgeasr("hil", project, "--clips", clips, "--split", "all", "--junit",
                   clips / "yes" / "a.wav" / "hil.xml", cwd=tmp_path)  # fmt: skip

    refused(done, INPUT, "hil.xml: cannot be written")


def test_training_says_its_sentence_alone(tmp_path: Path) -> None:
    done = edgeasr("train", "digits", "--data", "nowhere", cwd=tmp_path)

    refused(done, INPUT, "nowhere: no such file or folder")
    assert len(done.stderr.splitlines()) == 1, "TensorFlow's own lines hide the sentence"


def test_silent_port(project: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    clips = _yes_clip(tmp_path)

    done = edgeasr("hil", project, "--clips", clips, "--split", "all", "--port",
                   os.ttyname(theirs), cwd=tmp_path)  # fmt: skip

    os.close(ours)
    os.close(theirs)
    refused(done, LINK, "no HELLO in", "received 0 bytes")


def test_port_that_does_not_exist(project: Path, tmp_path: Path) -> None:
    clips = _yes_clip(tmp_path)

    done = edgeasr("hil", project, "--clips", clips, "--split", "all", "--port",
                   "/dev/ttyNONE9", cwd=tmp_path)  # fmt: skip

    refused(done, LINK, "/dev/ttyNONE9")


def test_firmware_of_another_model(project: Path, tmp_path: Path) -> None:
    manifest = project / "project.json"
    kept = manifest.read_text()
    digest = json.loads(kept)["model_sha256"]
    clips = _yes_clip(tmp_path)
    other = tmp_path / "other"
    shutil.copytree(project, other)
    (other / "project.json").write_text(kept.replace(digest, "ab" * 32))
    program = other / "build" / "tiny"

    done = edgeasr("hil", other, "--clips", clips, "--split", "all", "--port",
                   f"exec:{program}", cwd=tmp_path)  # fmt: skip

    refused(done, CHECK, "the device runs model tiny", "build the project, and flash it, again")
