"""The predicted arena is what TFLite-Micro needs on a board: it runs in it, not in 16 bytes less.

Skips without a library of the board's core, as tests/sim/test_tflm.py does.
"""

import re
from pathlib import Path

import pytest

from edgeasr import boards, deploy, microlite, speech, toolchain
from edgeasr.boards import Board
from edgeasr.connect import connect
from edgeasr.errors import LinkError, ToolError
from edgeasr.project import Project
from tests.conftest import need

_PROGRAMS = {
    "host": ("gcc", "g++"),
    "qemu_mps2_an386": ("arm-none-eabi-g++", "qemu-system-arm"),
    "qemu_mps3_an547": ("arm-none-eabi-g++", "qemu-system-arm"),
}


@pytest.fixture(scope="module", params=_PROGRAMS)
def board(request: pytest.FixtureRequest) -> Board:
    loaded = boards.load(request.param)
    try:
        microlite.find(loaded)
    except ToolError as error:
        pytest.skip(str(error))
    need("cmake", "ninja", *_PROGRAMS[request.param])
    return loaded


def _starts(made: Project, arena_bytes: int) -> bool:
    header = made.folder / "model" / "model.h"
    macro = r"(#define EAR_MODEL_ARENA_BYTES) \d+"
    header.write_text(re.sub(macro, rf"\1 {arena_bytes}", header.read_text()))
    toolchain.build(made.folder)
    try:
        with connect(made, front_end=speech.NONE) as connected:
            connected.device.tensor(bytes(connected.hello.input_bytes))
    except (LinkError, ToolError) as error:
        assert "the model was refused" in str(error)
        return False
    return True


@pytest.mark.parametrize("name", ["mlperf_tiny_kws_ref_model", "mww_v2_vad"])
def test_the_arena_is_exact(board: Board, name: str, shared_data: Path, tmp_path: Path) -> None:
    model = deploy.load_model(str(shared_data / "models" / f"{name}.tflite"), front_end=speech.NONE)
    arena = deploy.generate_tflm(model, board).arena
    made = deploy.export(model, board, tmp_path / "p", engine="tflm")

    assert _starts(made, arena.bytes)
    assert not _starts(made, arena.bytes - arena.margin_bytes - 16)
