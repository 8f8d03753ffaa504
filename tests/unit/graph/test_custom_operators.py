"""Custom operators in a file: options read, damage named, other vendors' code left alone."""

from pathlib import Path

import pytest

from edgeasr import graph as graphs
from edgeasr.codegen import coverage
from edgeasr.errors import InputError
from edgeasr.graph import Graph, Op, Tensor
from tests import tiny
from tests.vectors.kernels.tflite_builder import serialize


def _file(kind: str, options: dict) -> bytes:
    tensors = tuple(Tensor(i, f"t{i}", (4,), "int16") for i in range(2))
    return serialize(Graph("m", tensors, (Op(0, kind, (0,), (1,), options),), (0,), (1,)))


def test_options_are_read() -> None:
    got = graphs.parse(_file("CUSTOM:SignalDelay", {"delay_length": 3})).ops[0]

    assert (got.kind, got.options) == ("CUSTOM:SignalDelay", {"delay_length": 3})


def test_damaged_options_name_the_operator() -> None:
    content = _file("CUSTOM:SignalDelay", {"delay_length": 3})
    at = content.index(b"delay_length")
    damaged = content[:at] + b"\xff" * 12 + content[at + 12 :]

    with pytest.raises(InputError, match=r"m\.tflite: operator #0 CUSTOM:SignalDelay has options"):
        graphs.parse(damaged, "m.tflite")


def test_code_for_an_accelerator_is_left_alone_and_refused_by_name(shared_data: Path) -> None:
    path = shared_data / "models" / "coral_voice_commands_v0.8_edgetpu.tflite"

    model = graphs.load(path)

    assert model.ops[0].options == {}
    assert coverage.check(model)[0].startswith(
        "operator #0 CUSTOM:edgetpu-custom-op: not supported, at tensor"
    )


def test_the_scales_of_a_vector_are_its_elements_whatever_the_axis() -> None:
    """TFLite-Micro's person_detect gives biases the axis of their weights."""
    tensors = (
        Tensor(0, "in", (4,), "int32"),
        Tensor(1, "bias", (4,), "int32", None, tiny.quantized([1.0] * 4, axis=3)),
    )
    model = Graph("m", tensors, (Op(0, "RELU", (0,), (1,), {}),), (0,), (1,))

    assert graphs.parse(serialize(model)).tensor(1).quantization.axis == 0
