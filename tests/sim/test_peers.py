"""Peers in our firmware: where they take a model, they give the bits of TFLite-Micro."""

from pathlib import Path

import pytest

from edgeasr import bench, boards, deploy, speech
from edgeasr.bench import Measured
from edgeasr.errors import ToolError
from edgeasr.toolchain import sysroot
from tests.boards.conftest import need_tools
from tests.conftest import missing, need, need_package


def _measure(
    model: str, folder: Path, board: str = "qemu_mps2_an386", engine: str = "bakenn"
) -> Measured:
    loaded = deploy.load_model(model, front_end=speech.NONE)
    found = bench.compare(loaded, boards.load(board), folder, engines=[engine], inputs=2)
    return found.engines[0]


@pytest.mark.parametrize("board", ["qemu_mps2_an386", "host"])
@pytest.mark.parametrize("name", ["tflm_micro_speech_quantized", "mltk_keyword_spotting_on_off"])
def test_bakenn_gives_the_same_bits(
    name: str, board: str, shared_data: Path, tmp_path: Path
) -> None:
    need_package("bakenn")
    need("cmake", "ninja", "gcc", "arm-none-eabi-gcc", "qemu-system-arm")

    found = _measure(str(shared_data / "models" / f"{name}.tflite"), tmp_path, board)

    assert found.report and found.report.agrees, found.why
    assert [layer.kind for layer in found.layers] == ["BAKENN", "SOFTMAX"]


def test_what_bakenn_refuses_is_said_with_its_reason(tmp_path: Path) -> None:
    need_package("bakenn")

    found = _measure("digits", tmp_path)

    assert found.why.startswith("BakeNN 1.0.0 refuses the model: subgraph[0]/operator[21]")
    assert not found.failed
    assert not any(tmp_path.iterdir())


def test_bakenn_that_is_missing_is_said_with_its_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "bakenn", None)

    found = _measure("digits", tmp_path)

    assert found.why == (
        "bakenn is missing, which the engine bakenn needs; install: pip install 'edgeasr[peers]'"
    )


@pytest.mark.parametrize("name", ["mlperf_tiny_kws_ref_model", "tflm_keyword_scrambled"])
def test_xnnpack_takes_more_instructions_on_a_raspberry_pi(
    name: str, shared_data: Path, tmp_path: Path
) -> None:
    need_tools("rpi4")
    try:
        sysroot.sysroot()
    except ToolError as error:
        missing(f"the Raspberry Pi's Python ({str(error)[:200]})")
    loaded = deploy.load_model(
        str(shared_data / "models" / f"{name}.tflite"), front_end=speech.NONE
    )

    found = bench.compare(
        loaded, boards.load("rpi4"), tmp_path, engines=["ear", "xnnpack"], inputs=3
    )

    ear, xnnpack = found.engines
    assert found.agrees, (ear.why, xnnpack.why)
    assert ear.instructions < xnnpack.instructions
    assert [layer.kind for layer in xnnpack.layers] == ["TFLITE"]


def test_xnnpack_needs_a_linux(tmp_path: Path) -> None:
    found = _measure("digits", tmp_path, engine="xnnpack")

    assert "the engine tflite is a Python program, for a computer with Linux" in found.why
