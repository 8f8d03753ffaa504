"""Each packing in each kind of layer, on every simulated board: the host's bits."""

from pathlib import Path

import numpy as np
import pytest

from edgeasr import oracle
from edgeasr.codegen.packing.linking import CODE_BYTES
from edgeasr.connect import SIMULATOR, connect
from tests.boards.conftest import SIMULATED, need_tools
from tests.sim.packed import every_packing

_KINDS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


@pytest.mark.parametrize("board", SIMULATED)
def test_every_packed_layer_has_the_bits_of_the_host(board: str, tmp_path: Path) -> None:
    need_tools(board)
    made = every_packing(tmp_path, board)
    model, layers = made.model, made.project.manifest.layers
    packed = {(weights.unpacker, layers[i].kind) for i, weights in made.packed.items()}
    assert packed == {(unpacker, kind) for unpacker in (None, *CODE_BYTES) for kind in _KINDS}
    reference = oracle.Oracle(model.content, graph=model.graph, keep_tensors=True)
    entry = model.graph.tensor(model.graph.inputs[0])
    rng = np.random.default_rng(1)
    windows = 1 if board == "rpi_pico" else 2  # half a minute each in its simulator

    with connect(made.project, port=SIMULATOR) as connected:
        for window in (rng.integers(-128, 128, entry.shape, np.int8) for _ in range(windows)):
            reference.invoke(window)
            for layer in layers:
                got = connected.device.tensor(window.tobytes(), layer=layer.index)
                assert got == reference.tensor(layer.tensor).tobytes(), layer
