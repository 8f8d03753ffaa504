"""Firmware of a model with weights packed in every form, and what each layer is packed as."""

from pathlib import Path

import pytest

from edgeasr import boards, deploy, toolchain
from edgeasr.codegen.packing import Packed, candidates, linking
from edgeasr.graph import Graph
from edgeasr.project import Layer, Project
from edgeasr.speech import SpeechModel
from tests import every_packing


def every_packing_project(folder: Path, board: str) -> tuple[SpeechModel, Project]:
    """Export and build for a board; all unpackers are linked, whether their code pays or not."""
    model = deploy.load_model(str(every_packing.write_model(folder / "every.tflite")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(linking, "CODE_BYTES", dict.fromkeys(linking.CODE_BYTES, 0))
        made = deploy.export(model, boards.load(board), folder / "project")
    toolchain.build(made.folder)
    return model, made


def packed_of(graph: Graph, layer: Layer) -> Packed:
    """Return the packed weights of a layer, as its manifest names them."""
    op = graph.ops[layer.op]
    values = graph.tensor(op.inputs[1]).data
    axis = 3 if op.kind == "DEPTHWISE_CONV_2D" else 0
    wanted = (layer.packing, layer.weight_bits)
    return next(p for p in candidates(values, axis) if (p.form, p.bits) == wanted)
