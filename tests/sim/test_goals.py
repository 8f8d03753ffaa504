"""What firmware may cost on a Cortex-M4F: instructions, flash and RAM stay within the goals."""

from pathlib import Path

import numpy as np
import pytest

from edgeasr import deploy, hil, speech, toolchain
from edgeasr.boards import load
from edgeasr.connect import connect
from tests.boards.conftest import need_tools

_BOARD = "qemu_mps2_an386"
# Of a frame, and of the front end.
_FRAME_INSTRUCTIONS = 45_000
_FRONT_END_BYTES = 8_192


def test_a_frame_of_the_micro_front_end_takes_few_instructions_and_little_flash(
    tmp_path: Path,
) -> None:
    need_tools(_BOARD)
    model = deploy.load_model("digits")
    front_end = model.facts.front_end
    assert (front_end.kind, front_end.hop_samples, front_end.feature_count) == ("micro", 320, 40)
    noise = np.random.default_rng(1).normal(0, 3000, 16_000).astype(np.int16)

    made = deploy.export(model, load(_BOARD), tmp_path / "project")
    built = toolchain.build(made.folder)
    with connect(made) as connected:
        heard = connected.device.clip(noise)
        instructions = connected.count(heard.frontend_ticks)

    assert built.parts["front end"].flash_bytes <= _FRONT_END_BYTES
    assert 10_000 < instructions / heard.frames <= _FRAME_INSTRUCTIONS


@pytest.mark.parametrize(
    ("name", "instructions", "flash_bytes", "ram_bytes"),
    [
        ("mlperf_tiny_kws_ref_model", 3_800_000, 42 * 1024, 10_752),
        ("tflm_micro_speech_quantized", 750_000, 27 * 1024, 7_168),
    ],
)
def test_a_model_stays_within_its_goals(
    name: str,
    instructions: int,
    flash_bytes: int,
    ram_bytes: int,
    shared_data: Path,
    tmp_path: Path,
) -> None:
    need_tools(_BOARD)
    model = deploy.load_model(str(shared_data / "models" / f"{name}.tflite"), front_end=speech.NONE)

    made = deploy.export(model, load(_BOARD), tmp_path / "project")
    built = toolchain.build(made.folder)
    with connect(made, front_end=speech.OPTIONAL) as connected:
        (row,) = hil.random_inputs(model.graph, 1, 1)
        counted = connected.count(connected.device.infer(row).ticks)

    assert built.flash_bytes <= flash_bytes
    assert built.ram_bytes <= ram_bytes
    assert instructions / 2 < counted <= instructions
