"""Firmware of a model with weights packed in every form."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from edgeasr import boards, deploy, toolchain
from edgeasr.codegen import extensions
from edgeasr.codegen.packing import Packed, linking
from edgeasr.project import Project
from edgeasr.speech import SpeechModel
from tests import every_packing as model_of_all


@dataclass(frozen=True, eq=False)
class Firmware:
    """A built project. packed: weights by layer."""

    model: SpeechModel
    project: Project
    packed: Mapping[int, Packed]


def every_packing(folder: Path, board: str) -> Firmware:
    """Build a model with all packings; all unpackers are linked, whether their code pays or not."""
    path = model_of_all.write_model(folder / "every.tflite")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(linking, "CODE_BYTES", dict.fromkeys(linking.CODE_BYTES, 0))
        return firmware(str(path), folder, board)


def firmware(model: str, folder: Path, board: str) -> Firmware:
    """Export a model for a board into a folder of `folder`, and build it."""
    loaded = deploy.load_model(model)
    chosen = boards.load(board)
    made = deploy.export(loaded, chosen, folder / "project")
    toolchain.build(made.folder)
    extension = extensions.of_core(chosen.core)
    code = deploy.generate_model(loaded, board, extension=extension)
    return Firmware(loaded, made, code.packed)
