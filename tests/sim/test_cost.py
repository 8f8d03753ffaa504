"""Layers on a Cortex-M4F in QEMU take the instructions that codegen.cost estimates."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from edgeasr.codegen import cost, macs
from edgeasr.codegen.packing import Packed
from edgeasr.codegen.packing.linking import CODE_BYTES
from edgeasr.connect import connect
from edgeasr.project import Layer
from tests.conftest import need
from tests.sim.packed import Firmware, every_packing, firmware

_BOARD = "qemu_mps2_an386"
_NEAR = 0.10


@dataclass(frozen=True, eq=False)
class _Counted:
    """Firmware with the instructions of each layer in one inference."""

    made: Firmware
    counts: tuple[int, ...]

    def with_weights(self) -> Iterator[tuple[Layer, Packed, int]]:
        for layer, count in zip(self.made.project.manifest.layers, self.counts, strict=True):
            if layer.index in self.made.packed:
                yield layer, self.made.packed[layer.index], count


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> _Counted:
    need("cmake", "ninja", "arm-none-eabi-gcc", "qemu-system-arm")
    return _count(every_packing(tmp_path_factory.mktemp("every"), _BOARD))


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> _Counted:
    need("cmake", "ninja", "arm-none-eabi-gcc", "qemu-system-arm")
    return _count(firmware("digits", tmp_path_factory.mktemp("digits"), _BOARD))


def _count(made: Firmware) -> _Counted:
    graph = made.model.graph
    entry = graph.tensor(graph.inputs[0])
    window = np.random.default_rng(1).integers(-128, 128, entry.shape, np.int8)
    with connect(made.project) as connected:
        ticks = connected.device.profile(window.tobytes()).layer_ticks
        return _Counted(made, tuple(map(connected.count, ticks)))


@pytest.mark.parametrize("name", ["every", "digits"])
def test_layers_cost_what_was_estimated(name: str, request: pytest.FixtureRequest) -> None:
    counted: _Counted = request.getfixturevalue(name)
    graph = counted.made.model.graph
    wrong = {}
    for layer, packed, count in counted.with_weights():
        inside = macs.inside(graph, graph.ops[layer.op])
        estimated = cost.instructions(
            layer.kind, layer.macs, packed, inside=inside, kernel=layer.kernel
        )
        if abs(estimated / count - 1) > _NEAR:
            wrong[layer.index, layer.kind, packed.name] = (estimated, count)

    assert not wrong


def test_unpacking_costs_what_was_estimated(every: _Counted) -> None:
    """Of a fully connected layer of one block, packed less raw is what unpacking takes."""
    dense = [(p, n) for at, p, n in every.with_weights() if at.kind == "FULLY_CONNECTED"]
    most = max(packed.values for packed, _ in dense)
    counts = {packed: count for packed, count in dense if packed.values == most}
    raw = next(count for packed, count in counts.items() if packed.unpacker is None)
    wrong = {
        packed.name: (cost.unpacking(packed), count - raw)
        for packed, count in counts.items()
        if abs(cost.unpacking(packed) - (count - raw)) > _NEAR * (count - raw)
    }

    assert len(counts) == 1 + len(CODE_BYTES)
    assert not wrong
