"""Generated models with packed weights: what is packed, what it says of itself, what it takes."""

import dataclasses

import numpy as np
import pytest

from edgeasr import deploy
from edgeasr.codegen.model import ModelCode, generate
from edgeasr.codegen.packing import BLOCK_BYTES, BLOCK_BYTES_MOST, linking, unpack
from edgeasr.errors import InputError
from edgeasr.graph import Graph
from tests import every_packing


def _generate(graph: Graph, packing: str = "smallest") -> ModelCode:
    outputs = graph.tensor(graph.outputs[0]).elements
    return generate(
        graph, name="model", labels=[str(i) for i in range(outputs)], content=b"model",
        board="none", where="model.tflite", packing=packing,
    )  # fmt: skip


@pytest.fixture(scope="module")
def ternary_digits() -> Graph:
    """The zoo's model with its weights moved to -64, 0 and 64."""
    graph = deploy.load_model("digits").graph
    tensors = list(graph.tensors)
    for op in graph.ops:
        if op.kind in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
            held = tensors[op.inputs[1]]
            grid = (64 * np.sign(np.where(np.abs(held.data) > 20, held.data, 0))).astype(np.int8)
            tensors[op.inputs[1]] = dataclasses.replace(held, data=grid)
    return dataclasses.replace(graph, tensors=tuple(tensors))


def test_layers_tell_form_and_bytes(ternary_digits: Graph) -> None:
    code = _generate(ternary_digits)

    layers = [layer for layer in code.layers if layer.packing]
    assert {(layer.packing, layer.weight_bits) for layer in layers} == {("ternary", 2)}
    assert sum(layer.weight_bytes for layer in layers) < 0.21 * sum(
        layer.weight_count for layer in layers
    )
    for layer in layers:
        op = ternary_digits.ops[layer.op]
        held = ternary_digits.tensor(op.inputs[1]).data
        if (
            op.kind == "DEPTHWISE_CONV_2D"
        ):  # a channel's weights lie together, by columns, for its plane
            held = held[0].transpose(2, 1, 0)
        assert layer.weight_count == held.size
        assert np.array_equal(unpack(code.packed[layer.index]), held)
    assert "ear_weights_ternary.c" in code.sources
    assert not any("uniform" in source for source in code.sources)


def test_raw_packs_nothing(ternary_digits: Graph) -> None:
    code = _generate(ternary_digits, packing="raw")

    assert {layer.packing for layer in code.layers} == {"raw", None}
    assert all(layer.weight_bytes == layer.weight_count for layer in code.layers)
    assert not any(source.startswith("ear_weights_") for source in code.sources)


def test_blocks_take_idle_memory_and_little_other(ternary_digits: Graph) -> None:
    packed, raw = _generate(ternary_digits), _generate(ternary_digits, packing="raw")

    scratch = [weights.scratch_bytes for weights in packed.packed.values()]
    assert max(scratch) > 2 * BLOCK_BYTES
    assert max(scratch) <= BLOCK_BYTES_MOST + 3
    assert packed.plan.arena_bytes <= raw.plan.arena_bytes + BLOCK_BYTES + 16


def test_a_model_links_each_unpacker_that_it_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linking, "CODE_BYTES", dict.fromkeys(linking.CODE_BYTES, 0))

    code = _generate(every_packing.graph())

    used = {packed.unpacker for packed in code.packed.values()} - {None}
    assert used == set(linking.CODE_BYTES)
    assert {f"{name}.c" for name in used} <= set(code.sources)
    for name in used:
        assert f".unpack = {name}," in code.files["model.c"]


def test_unpackers_that_save_less_than_their_code_are_left_out() -> None:
    code = _generate(deploy.load_model("digits").graph)

    assert {layer.packing for layer in code.layers} == {"raw", None}


def test_unknown_packing_is_refused() -> None:
    model = deploy.load_model("digits")

    with pytest.raises(InputError, match='packing "row" not found; allowed: raw, smallest'):
        deploy.generate_model(model, "host", packing="row")
