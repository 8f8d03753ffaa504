"""The whole path on every simulated board: real recordings in, and the host's bits out."""

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from edgeasr import boards, toolchain
from tests.boards.conftest import SIMULATED, need_tools

# Clips streamed in CI; `edgeasr hil` without --limit streams them all.
_CLIPS = {
    "host": 400,
    "qemu_mps2_an385": 20,
    "qemu_mps2_an386": 40,
    "qemu_mps2_an500": 20,
    "qemu_mps2_an505": 20,
    "qemu_mps3_an547": 20,
    "qemu_netduinoplus2": 100,
    "rpi3": 60,
    "rpi4": 120,
    "rpi_pico": 100,  # a second each
    "rpi5": 60,
    "rpi_zero2w": 20,
}
# Of the second model, where simulation is slow.
_FEWER = {"qemu_netduinoplus2": 20, "rpi_pico": 12}


def edgeasr(*argv: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edgeasr", *map(str, argv)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


@pytest.fixture(scope="module", params=SIMULATED)
def board(request: pytest.FixtureRequest) -> str:
    need_tools(request.param)
    return request.param


@pytest.mark.parametrize("model", ["digits", "keywords"])
def test_recordings_agree_with_the_host(
    board: str, model: str, shared_data: Path, tmp_path: Path
) -> None:
    assert edgeasr("export", model, "--board", board, "--out", "p", cwd=tmp_path).returncode == 0
    built = edgeasr("build", "p", cwd=tmp_path)
    assert built.returncode == 0, built.stderr
    limit = _CLIPS[board] if model == "digits" else _FEWER.get(board, _CLIPS[board])
    clips = [shared_data / model / "manifest.csv", shared_data / "noise" / "manifest.csv"]
    options = [f"--clips={path}" for path in clips]

    done = edgeasr(
        "hil",
        "p",
        "--simulate",
        *options,
        "--limit",
        limit,
        "--junit",
        "hil.xml",
        "--json",
        cwd=tmp_path,
    )

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["clips"] == limit
    assert report["agreement"] == 1.0
    assert report["features_equal"] == report["scores_equal"] == report["clips"]
    assert report["accuracy_device"] == report["accuracy_host"] > 0.8
    assert report["reference"] == "TFLite-Micro"
    runner = boards.load(board).runner
    if runner == "rp2040js":
        assert 10_000_000 < report["inference_cycles"] < 60_000_000
    else:
        assert (report["inference_instructions"] is not None) == (runner != "native")
    suite = ElementTree.parse(tmp_path / "hil.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == (str(report["clips"]), "0")


def test_every_layer_agrees_with_the_host(board: str, tmp_path: Path) -> None:
    """Tensor mode: each layer's output as TFLite-Micro has it."""
    import numpy as np

    from edgeasr import deploy, oracle, project
    from edgeasr.connect import SIMULATOR, connect

    assert edgeasr("export", "digits", "--board", board, "--out", "p", cwd=tmp_path).returncode == 0
    toolchain.build(tmp_path / "p")
    model = deploy.load_model("digits")
    reference = oracle.Oracle(model.content, graph=model.graph, keep_tensors=True)
    entry = model.graph.tensor(model.graph.inputs[0])
    window = np.random.default_rng(1).integers(-128, 128, entry.shape, np.int8)
    scores = reference.invoke(window)

    made = project.load(tmp_path / "p")
    with connect(made, port=SIMULATOR) as connected:
        device = connected.device
        for layer in made.manifest.layers:
            got = device.tensor(window.tobytes(), layer=layer.index)
            assert got == reference.tensor(layer.tensor).tobytes(), layer
        assert device.tensor(window.tobytes()) == scores.tobytes()


def test_a_stream_is_heard(board: str, shared_data: Path, tmp_path: Path) -> None:
    """Stream mode: digits with pauses between them become events in their order."""
    import numpy as np

    from edgeasr import audio, deploy, project
    from edgeasr.audio import catalog
    from edgeasr.connect import SIMULATOR, connect

    assert edgeasr("export", "digits", "--board", board, "--out", "p", cwd=tmp_path).returncode == 0
    toolchain.build(tmp_path / "p")
    model = deploy.load_model("digits")
    clips = [c for c in catalog.load(shared_data / "digits" / "manifest.csv") if c.split == "test"]
    pieces = [np.zeros(8000, np.int16)]
    for clip in clips[:: 200 if board == "rpi_pico" else 60]:
        pieces += [audio.read_clip(clip), np.zeros(12000, np.int16)]

    with connect(project.load(tmp_path / "p"), port=SIMULATOR) as connected:
        events = list(connected.device.stream([np.concatenate(pieces)]))

    heard = [connected.hello.labels[e.label] for e in events]
    assert heard, "nothing was recognised in the stream"
    assert set(heard) <= set(model.facts.labels) - set(model.facts.decision.ignored)
    assert [e.sample for e in events] == sorted(e.sample for e in events)


def test_demo_speaks_for_itself(tmp_path: Path, shared_data: Path) -> None:
    need_tools("qemu_mps2_an386")
    manifest = shared_data / "digits" / "manifest.csv"

    done = edgeasr("demo", "--data", manifest, "--limit", "12", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert "agreement with TFLite-Micro: features 100 %, scores 100 %" in done.stdout
    assert os.access(tmp_path / "build" / "demo" / "build" / "digits.elf", os.R_OK)
