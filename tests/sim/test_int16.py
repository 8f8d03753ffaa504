"""A model with int16 activations on simulated boards: real recordings in, the host's bits out."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgeasr import audio, boards, deploy, features, oracle, paths, project, speech
from edgeasr.audio import catalog
from edgeasr.connect import connect
from tests.conftest import need, need_package

keras = need_package("keras")

_PROGRAMS = {
    "host": ("gcc",),
    "qemu_mps2_an386": ("arm-none-eabi-gcc", "qemu-system-arm"),
    "qemu_mps3_an547": ("arm-none-eabi-gcc", "qemu-system-arm"),
    "rpi4": ("aarch64-linux-gnu-gcc", "qemu-aarch64"),
}
_CLIPS = {"host": 60, "qemu_mps2_an386": 12, "qemu_mps3_an547": 6, "rpi4": 30}


def edgeasr(*argv: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edgeasr", *map(str, argv)],
        cwd=cwd, capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def int16_model(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zoo's digits as int16x8, calibrated with some of its training clips."""
    from edgeasr.quantize import quantize

    facts = deploy.load_model("digits").facts
    clips = catalog.load(shared_data / "digits" / "manifest.csv")
    rate, samples = facts.front_end.sample_rate_hz, facts.clip_samples
    rows = [
        features.compute(facts.front_end, audio.read_clip(clip, rate, samples=samples))
        for clip in [c for c in clips if c.split == "train"][::40]
    ]
    windows = np.stack(rows).astype(np.float32) * facts.feature_scale + facts.feature_offset
    model = keras.models.load_model(paths.zoo() / "digits.keras")
    path = tmp_path_factory.mktemp("int16") / "wide.tflite"
    path.write_bytes(speech.embed(quantize(model, windows, "int16"), facts))
    return path


@pytest.fixture(scope="module", params=list(_PROGRAMS))
def folder(
    request: pytest.FixtureRequest, int16_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with the model's firmware project `p`, built for a board."""
    board = request.param
    need("cmake", "ninja", *_PROGRAMS[board])
    made = tmp_path_factory.mktemp(board)
    shutil.copy(int16_model, made)
    for command in (("export", "wide.tflite", "--board", board, "--out", "p"), ("build", "p")):
        done = edgeasr(*command, cwd=made)
        assert done.returncode == 0, done.stderr
    return made


def test_recordings_agree_with_the_host(folder: Path, shared_data: Path) -> None:
    board = project.load(folder / "p").manifest.board
    clips = shared_data / "digits" / "manifest.csv"

    done = edgeasr(
        "hil", "p", "--clips", clips, "--limit", _CLIPS[board], "--json", cwd=folder
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["features_equal"] == report["scores_equal"] == _CLIPS[board]
    assert report["reference"] == "TFLite-Micro"
    assert report["accuracy_device"] > 0.75
    counted = boards.load(board).runner in ("qemu_system", "qemu_user")
    assert (report["inference_instructions"] is not None) == counted


def test_every_layer_agrees_with_the_host(folder: Path) -> None:
    model = speech.load(folder / "wide.tflite")
    reference = oracle.Oracle(model.content, graph=model.graph, keep_tensors=True)
    entry = model.graph.tensor(model.graph.inputs[0])
    window = np.random.default_rng(1).integers(-32768, 32768, entry.shape, np.int16)
    scores = reference.invoke(window)
    assert scores.dtype == np.int16

    made = project.load(folder / "p")
    with connect(made) as connected:
        device = connected.device
        assert (connected.hello.input_dtype, connected.hello.output_dtype) == ("int16", "int16")
        for layer in made.manifest.layers:
            got = device.tensor(window.tobytes(), layer=layer.index)
            assert got == reference.tensor(layer.tensor).tobytes(), layer
        assert device.tensor(window.tobytes()) == scores.tobytes()


def test_a_stream_has_events_and_the_scores_behind_them(folder: Path, shared_data: Path) -> None:
    """Scores come as int16, and the host's rule makes the device's events of them."""
    from edgeasr.client import Event, Scores
    from edgeasr.decision import Decider

    model = speech.load(folder / "wide.tflite")
    facts = model.facts
    clips = catalog.load(shared_data / "digits" / "manifest.csv")
    pieces = [np.zeros(8000, np.int16)]
    for clip in [c for c in clips if c.split == "test"][::150]:
        pieces += [audio.read_clip(clip), np.zeros(12000, np.int16)]

    with connect(project.load(folder / "p")) as connected:
        heard = list(connected.device.stream([np.concatenate(pieces)], scores=True))

    decider = Decider(facts.decision, facts.labels, facts.front_end.sample_rate_hz)
    found = [decider.push(s.values, s.sample) for s in heard if isinstance(s, Scores)]
    events = [(facts.labels[e.label], e.score, e.sample) for e in heard if isinstance(e, Event)]
    assert events
    assert [(e.label, e.score, e.sample) for e in found if e] == events
