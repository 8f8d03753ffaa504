"""The README's table of third-party models: what it says of the ear engine is what is counted."""

import re
from pathlib import Path

import pytest

from edgeasr import bench, boards, deploy, speech
from tests.conftest import need

_README = Path(__file__).parents[2] / "README.md"
_HEADS = "| Model | Operations | Equal | ear: instructions | tflm: instructions | ear: flash "


def _row(model: str) -> list[str]:
    text = _README.read_text(encoding="utf-8")
    assert _HEADS in text
    found = re.search(rf"^\| `{re.escape(model)}` \|(.+)\|$", text, re.MULTILINE)
    assert found, f"README.md has no row of {model}"
    return [cell.strip() for cell in found[1].split("|")]


def _number(text: str) -> int:
    return int(text.replace(",", ""))


@pytest.mark.parametrize("name", ["mww_v2_vad", "tflm_audio_preprocessor_int8"])
def test_a_row_is_what_is_counted(name: str, shared_data: Path, tmp_path: Path) -> None:
    need("cmake", "ninja", "arm-none-eabi-gcc", "qemu-system-arm")
    row = _row(f"{name}.tflite")
    model = deploy.load_model(str(shared_data / "models" / f"{name}.tflite"), front_end=speech.NONE)

    found = bench.compare(model, boards.load("qemu_mps2_an386"), tmp_path, engines=["ear"])

    ear = found.engines[0]
    assert found.agrees and ear.equal == found.inputs
    assert row[0] == bench.summary([found])[2].split("|")[2].strip()
    assert row[1].startswith("200 of 200; ")
    assert ear.instructions == pytest.approx(_number(row[2]), rel=0.01)
    assert ear.flash_bytes == pytest.approx(_number(row[4]), rel=0.01)
    assert ear.ram_bytes == pytest.approx(_number(row[6]), rel=0.01)


def test_every_model_of_the_folder_has_a_row(shared_data: Path) -> None:
    """But for the one of the Edge TPU, which no engine of ours can run."""
    for file in (shared_data / "models").glob("*.tflite"):
        if not file.stem.endswith("edgetpu"):
            assert len(_row(file.name)) == 8
