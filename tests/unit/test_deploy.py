"""Deploying: models whose input or output no firmware can have are refused by name."""

import dataclasses
from pathlib import Path

import pytest

from edgeasr import deploy
from edgeasr.errors import InputError
from edgeasr.graph import Graph, Op, Tensor
from edgeasr.speech import SpeechModel
from tests import tiny


def _model(graph: Graph) -> SpeechModel:
    return SpeechModel(Path("some.tflite"), b"", graph, tiny.facts())


def test_a_model_of_floats_is_refused_by_its_first_operation() -> None:
    """As of dynamic range (weights int8) or float16 (weights behind DEQUANTIZE)."""
    tensors = (
        Tensor(0, "features", (1, 48), "float32"),
        Tensor(1, "stored", (4, 48), "float16"),
        Tensor(2, "weights", (4, 48), "float32"),
        Tensor(3, "scores", (1, 4), "float32"),
    )
    ops = (Op(0, "DEQUANTIZE", (1,), (2,)), Op(1, "FULLY_CONNECTED", (0, 2), (3,)))

    with pytest.raises(InputError) as refused:
        deploy.generate_model(_model(Graph("main", tensors, ops, (0,), (3,))), "host")

    assert str(refused.value) == (
        "some.tflite: operation FULLY_CONNECTED #1 computes in float32; the ear engine runs "
        "integers only; quantize it with 'edgeasr quantize --activations int8' or int16, or run "
        "this file on Linux in TensorFlow Lite, with --engine tflite\n"
        "  TFLite-Micro has these operations, if not of all types: try --engine tflm"
    )


def test_ends_of_another_type_are_refused_by_name() -> None:
    graph = tiny.graph()
    tensors = tuple(
        dataclasses.replace(t, dtype="uint8") if t.name == "features" else t for t in graph.tensors
    )

    with pytest.raises(InputError, match='CONV_2D: tensor "features" is uint8; supported: int8'):
        deploy.generate_model(_model(dataclasses.replace(graph, tensors=tensors)), "host")
