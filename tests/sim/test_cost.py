"""Layers on a Cortex-M4F in QEMU take the instructions that codegen.cost estimates."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from edgeasr import boards, deploy, toolchain
from edgeasr.codegen import cost, macs
from edgeasr.codegen.packing.linking import CODE_BYTES
from edgeasr.connect import connect
from edgeasr.project import Layer, Project
from edgeasr.speech import SpeechModel
from tests.conftest import need
from tests.sim.packed import every_packing_project, packed_of

_BOARD = "qemu_mps2_an386"
_NEAR = 0.10


@dataclass(frozen=True, eq=False)
class _Counted:
    """A model with the instructions of each layer in one inference."""

    model: SpeechModel
    layers: tuple[tuple[Layer, int], ...]


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> _Counted:
    need("cmake", "ninja", "arm-none-eabi-gcc", "qemu-system-arm")
    return _count(*every_packing_project(tmp_path_factory.mktemp("every"), _BOARD))


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> _Counted:
    need("cmake", "ninja", "arm-none-eabi-gcc", "qemu-system-arm")
    model = deploy.load_model("digits")
    folder: Path = tmp_path_factory.mktemp("digits") / "project"
    made = deploy.export(model, boards.load(_BOARD), folder)
    toolchain.build(folder)
    return _count(model, made)


def _count(model: SpeechModel, made: Project) -> _Counted:
    entry = model.graph.tensor(model.graph.inputs[0])
    window = np.random.default_rng(1).integers(-128, 128, entry.shape, np.int8)
    with connect(made) as connected:
        ticks = connected.device.profile(window.tobytes()).layer_ticks
        counts = map(connected.count, ticks)
        return _Counted(model, tuple(zip(made.manifest.layers, counts, strict=True)))


@pytest.mark.parametrize("name", ["every", "digits"])
def test_layers_cost_what_was_estimated(name: str, request: pytest.FixtureRequest) -> None:
    counted: _Counted = request.getfixturevalue(name)
    graph = counted.model.graph
    wrong = {}
    for layer, count in _with_weights(counted):
        packed, inside = packed_of(graph, layer), macs.inside(graph, graph.ops[layer.op])
        estimated = cost.instructions(layer.kind, layer.macs, packed, inside=inside)
        if abs(estimated / count - 1) > _NEAR:
            wrong[layer.index, layer.kind, packed.name] = (estimated, count)

    assert not wrong


def test_unpacking_costs_what_was_estimated(every: _Counted) -> None:
    """Of a fully connected layer of one block, packed less raw is what unpacking takes."""
    graph = every.model.graph
    dense = [(at, n) for at, n in _with_weights(every) if at.kind == "FULLY_CONNECTED"]
    most = max(layer.weight_count for layer, _ in dense)
    counts = {packed_of(graph, at): n for at, n in dense if at.weight_count == most}
    raw = next(count for packed, count in counts.items() if packed.unpacker is None)
    wrong = {
        packed.name: (cost.unpacking(packed), count - raw)
        for packed, count in counts.items()
        if abs(cost.unpacking(packed) - (count - raw)) > _NEAR * (count - raw)
    }

    assert len(counts) == 1 + len(CODE_BYTES)
    assert not wrong


def _with_weights(counted: _Counted) -> Iterator[tuple[Layer, int]]:
    return ((layer, count) for layer, count in counted.layers if layer.packing is not None)
