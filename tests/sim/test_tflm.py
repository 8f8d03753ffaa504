"""Both engines, same model, board and recordings: the same bits, with the real TFLite-Micro.

edgeasr does not bring TFLite-Micro: without TFLM_ROOT (or TFLM_LIBRARY and TFLM_INCLUDE_DIRS) that
leads to a library of the board's core these tests skip, in CI too, and say how to build it.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from edgeasr import bench, boards, deploy, microlite, project, speech, toolchain
from edgeasr.boards import Board
from edgeasr.connect import connect
from edgeasr.errors import LinkError, ToolError
from tests.conftest import need

_PROGRAMS = {
    "host": ("gcc", "g++"),
    "qemu_mps2_an386": ("arm-none-eabi-g++", "qemu-system-arm"),
    "qemu_mps3_an547": ("arm-none-eabi-g++", "qemu-system-arm"),
}
_CLIPS = {"host": 60, "qemu_mps2_an386": 12, "qemu_mps3_an547": 12}


@pytest.fixture(scope="module", params=_PROGRAMS)
def board(request: pytest.FixtureRequest) -> Board:
    loaded = boards.load(request.param)
    try:
        microlite.find(loaded)
    except ToolError as error:
        pytest.skip(str(error))
    need("cmake", "ninja", *_PROGRAMS[request.param])
    return loaded


def _check(found: bench.Comparison) -> None:
    assert [engine.why for engine in found.engines] == ["", ""]
    assert [engine.equal for engine in found.engines] == [found.inputs] * 2
    assert all(e.report.layers > 0 and e.report.layers_unequal == () for e in found.engines)
    tflm = found.engines[1]
    assert 0 < tflm.arena_used_bytes <= tflm.arena_bytes
    counted = boards.load(found.board).runner == "qemu_system"
    assert all((engine.instructions is not None) == counted for engine in found.engines)


@pytest.mark.parametrize("name", ["digits", "keywords"])
def test_outputs_and_every_layer_are_the_same(board: Board, name: str, tmp_path: Path) -> None:
    model = deploy.load_model(name, front_end=speech.NONE)

    found = bench.compare(model, board, tmp_path, inputs=4)

    _check(found)
    assert [engine.report.layers for engine in found.engines] == [len(model.graph.ops)] * 2


@pytest.mark.parametrize(
    "name",
    [
        "tflm_micro_speech_quantized",
        "mlperf_tiny_kws_ref_model",
        "mww_v2_hey_jarvis",  # resource variables, CALL_ONCE, uint8 at its end
        "tflm_keyword_scrambled",  # variable tensors of SVDF
        "mltk_tinyml_keyword_spotting",  # float32 at both ends
    ],
)
def test_models_that_others_trained(
    board: Board, name: str, shared_data: Path, tmp_path: Path
) -> None:
    """Streaming models too, one inference after another from a reset on."""
    model = deploy.load_model(str(shared_data / "models" / f"{name}.tflite"), front_end=speech.NONE)

    _check(bench.compare(model, board, tmp_path, inputs=6))


def _edgeasr(*argv: object, cwd: Path) -> str:
    command = [sys.executable, "-m", "edgeasr", *map(str, argv)]
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_recordings_are_heard_the_same(board: Board, shared_data: Path, tmp_path: Path) -> None:
    """Through the same front end, decision and protocol; each score is compared with the host's."""
    clips = shared_data / "digits" / "manifest.csv"
    reports = []
    for engine in deploy.ENGINES:
        _edgeasr("export", "--board", board.name, "--engine", engine, "--out", engine, cwd=tmp_path)
        _edgeasr("build", engine, cwd=tmp_path)
        said = _edgeasr(
            "hil", engine, "--clips", clips, "--limit", _CLIPS[board.name], "--json", cwd=tmp_path
        )
        reports.append(json.loads(said))

    ear, tflm = reports
    assert (ear["engine"], tflm["engine"]) == deploy.ENGINES
    assert ear["agreement"] == tflm["agreement"] == 1.0
    assert ear["confusion"] == tflm["confusion"]
    assert [r["device"] for r in ear["results"]] == [r["device"] for r in tflm["results"]]


def test_the_profile_has_every_layer(board: Board, tmp_path: Path) -> None:
    made = deploy.export(deploy.load_model("digits"), board, tmp_path / "p", engine="tflm")
    toolchain.build(made.folder)

    with connect(made) as connected:
        profile = connected.device.profile()

    assert len(profile.layer_ticks) == len(made.manifest.layers) == 24
    assert 0 < sum(profile.layer_ticks) <= profile.total_ticks


def test_a_damaged_model_is_refused(board: Board, tmp_path: Path) -> None:
    made = deploy.export(deploy.load_model("digits"), board, tmp_path / "p", engine="tflm")
    data = made.folder / "model" / "model_data.c"
    first, rest = data.read_text().split(" = {\n    ", 1)
    number, rest = rest.split(",", 1)
    data.write_text(f"{first} = {{\n    {int(number) ^ 1},{rest}")
    toolchain.build(made.folder)

    with (
        pytest.raises((LinkError, ToolError), match="the model was refused"),
        connect(project.load(made.folder)),
    ):
        pass
