"""Each packing in each kind of layer, on a Cortex-M4F in QEMU: right bits, at the cost foretold."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from edgeasr import boards, deploy, oracle, project, toolchain
from edgeasr.codegen import cost, macs
from edgeasr.codegen.packing import Packed, candidates, linking
from edgeasr.connect import Connected, connect
from edgeasr.graph import Graph
from edgeasr.project import Layer
from edgeasr.speech import SpeechModel
from tests import every_packing
from tests.conftest import need

_BOARD = "qemu_mps2_an386"
# Counts of what is below them vary with the data: clamps, shifts of 0.
_NEAR = 0.10


@dataclass(frozen=True, eq=False)
class _Running:
    """A model's firmware on the emulated core, with the counts of one inference by layer."""

    model: SpeechModel
    layers: tuple[Layer, ...]
    connected: Connected
    window: np.ndarray
    counts: tuple[int, ...]


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Running]:
    folder = tmp_path_factory.mktemp("every")
    with pytest.MonkeyPatch.context() as patch:
        # Whether their code pays or not, all are linked.
        patch.setattr(linking, "CODE_BYTES", dict.fromkeys(linking.CODE_BYTES, 0))
        yield from _run(every_packing.write_model(folder / "every.tflite"), folder)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Running]:
    yield from _run("digits", tmp_path_factory.mktemp("digits"))


def _run(source: str | Path, folder: Path) -> Iterator[_Running]:
    need("cmake", "ninja", "arm-none-eabi-gcc", "qemu-system-arm")
    model = deploy.load_model(str(source))
    made = deploy.export(model, boards.load(_BOARD), folder / "project")
    toolchain.build(made.folder)
    entry = model.graph.tensor(model.graph.inputs[0])
    window = np.random.default_rng(1).integers(-128, 128, entry.shape, np.int8)
    with connect(project.load(made.folder)) as connected:
        profile = connected.device.profile(window.tobytes())
        counts = tuple(connected.count(ticks) for ticks in profile.layer_ticks)
        yield _Running(model, made.manifest.layers, connected, window, counts)


def test_every_packing_is_there_in_every_kind_of_layer(every: _Running) -> None:
    found = {(_packed(every, at).unpacker, at.kind) for at in every.layers if at.packing}

    kinds = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
    assert found == {(u, kind) for u in (None, *linking.CODE_BYTES) for kind in kinds}


def test_every_layer_has_the_bits_of_the_host(every: _Running) -> None:
    graph = every.model.graph
    reference = oracle.Oracle(every.model.content, graph=graph, keep_tensors=True)
    reference.invoke(every.window)

    for layer in every.layers:
        got = every.connected.device.tensor(every.window.tobytes(), layer=layer.index)
        assert got == reference.tensor(layer.tensor).tobytes(), layer


@pytest.mark.parametrize("name", ["every", "digits"])
def test_layers_cost_what_was_estimated(name: str, request: pytest.FixtureRequest) -> None:
    running: _Running = request.getfixturevalue(name)
    wrong = {}
    for layer, counted in zip(running.layers, running.counts, strict=True):
        if layer.packing is None:
            continue
        estimated = _estimate(running.model.graph, layer, _packed(running, layer))
        if abs(estimated / counted - 1) > _NEAR:
            wrong[layer.index, layer.kind, layer.packing] = (estimated, counted)

    assert not wrong


def test_unpacking_costs_what_was_estimated(every: _Running) -> None:
    """A fully connected layer of one row and one block: packed less raw is what unpacking takes."""
    sizes = [(at.kind, at.weight_count) for at in every.layers]
    dense = max(count for kind, count in sizes if kind == "FULLY_CONNECTED")
    counts: Mapping[str | None, tuple[Packed, int]] = {
        (packed := _packed(every, layer)).unpacker: (packed, counted)
        for layer, counted in zip(every.layers, every.counts, strict=True)
        if (layer.kind, layer.weight_count) == ("FULLY_CONNECTED", dense)
    }
    raw = counts[None][1]
    wrong = {}
    for unpacker, (packed, counted) in counts.items():
        estimated = cost.unpacking(packed)
        if abs(estimated - (counted - raw)) > _NEAR * max(counted - raw, 1):
            wrong[unpacker] = (estimated, counted - raw)

    assert len(counts) == 1 + len(linking.CODE_BYTES)
    assert not wrong


def _packed(running: _Running, layer: Layer) -> Packed:
    op = running.model.graph.ops[layer.op]
    values = running.model.graph.tensor(op.inputs[1]).data
    axis = 3 if op.kind == "DEPTHWISE_CONV_2D" else 0
    wanted = (layer.packing, layer.weight_bits)
    return next(p for p in candidates(values, axis) if (p.form, p.bits) == wanted)


def _estimate(graph: Graph, layer: Layer, packed: Packed) -> int:
    inside = macs.inside(graph, graph.ops[layer.op])
    return cost.instructions(layer.kind, layer.macs, packed, inside=inside)
