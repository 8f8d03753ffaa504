"""What the front end costs on a Cortex-M4F: instructions of a frame, and flash."""

from pathlib import Path

import numpy as np

from edgeasr import deploy, toolchain
from edgeasr.boards import load
from edgeasr.connect import connect
from tests.boards.conftest import need_tools

_BOARD = "qemu_mps2_an386"
_MOST_INSTRUCTIONS = 45_000
_MOST_BYTES = 8_192


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

    assert built.parts["front end"].flash_bytes <= _MOST_BYTES
    assert 10_000 < instructions / heard.frames <= _MOST_INSTRUCTIONS
