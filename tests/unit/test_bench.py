"""Engines side by side: what counts as a difference, and what an engine that is missing is."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from edgeasr import bench, boards, speech
from edgeasr.bench import Comparison, Measured
from edgeasr.graph import Graph, Op, Tensor
from tests import tiny


def _comparison(*engines: Measured, reference: tuple[int, ...] = ()) -> Comparison:
    return Comparison(
        model="m.tflite",
        sha256="0" * 64,
        board="host",
        macs=1,
        operations=("CONV_2D",),
        inputs=3,
        engines=engines,
        reference=reference,
    )


EAR = Measured("ear", outputs=(1, 2, 3), layers={3: 10, 5: 11})


def test_engines_that_agree() -> None:
    found = _comparison(EAR, dataclasses.replace(EAR, engine="tflm"), reference=(1, 2, 3))

    assert found.differing() == (0, 0)
    assert [found.agreeing(engine) for engine in found.engines] == [3, 3]
    assert found.agrees


@pytest.mark.parametrize(
    ("other", "differing"),
    [
        ({"outputs": (1, 9, 9)}, (2, 0)),
        ({"layers": {3: 10, 5: 99}}, (0, 1)),
        ({"layers": {3: 10, 4: 7, 5: 11}}, (0, 0)),  # a layer that one engine alone has
    ],
)
def test_outputs_and_layers_that_differ_are_counted(
    other: dict[str, object], differing: tuple[int, int]
) -> None:
    found = _comparison(EAR, dataclasses.replace(EAR, engine="tflm", **other))

    assert found.differing() == differing
    assert found.agrees == (differing == (0, 0))


def test_what_differs_from_tflite_micro_on_the_host_does_not_agree() -> None:
    assert not _comparison(EAR, reference=(1, 2, 4)).agrees


def test_an_engine_that_did_not_run_is_no_difference() -> None:
    found = _comparison(EAR, Measured("tflm", why="no library"), reference=(1, 2, 3))

    assert found.agrees and found.differing() is None
    shown = found.to_dict()["engines"]
    assert shown[1] == {
        "engine": "tflm",
        "why": "no library",
        "failed": False,
        "outputs_as_tflite_micro": None,
    }
    assert shown[0]["layers"] == 2 and "why" not in shown[0]


def test_firmware_that_failed_does_not_agree() -> None:
    assert not _comparison(EAR, Measured("tflm", why="no HELLO", failed=True)).agrees


@pytest.mark.parametrize(("dtype", "low", "high"), [("int8", -128, 127), ("uint8", 0, 255)])
def test_random_inputs_have_the_whole_range_and_are_the_same_again(
    dtype: str, low: int, high: int
) -> None:
    graph = Graph("main", (Tensor(0, "x", (4, 4096), dtype),), (), (0,), (0,))

    one, two = bench._windows(graph, 2, 7), bench._windows(graph, 2, 7)

    assert (one[0].min(), one[0].max()) == (low, high)
    assert one[0].shape == (4, 4096) and one[0].dtype == dtype
    assert np.array_equal(one[0], two[0]) and not np.array_equal(one[0], one[1])


def test_tensors_that_are_written_in_part_are_left_out() -> None:
    tensors = tuple(Tensor(i, f"t{i}", (4,), "int32") for i in range(5))
    ops = (
        Op(0, "CUSTOM:SignalEnergy", (0,), (1,)),
        Op(1, "CAST", (1,), (2,)),
        Op(2, "STRIDED_SLICE", (2,), (3,)),
        Op(3, "CAST", (0,), (4,)),
    )

    assert bench._unspecified(Graph("main", tensors, ops, (0,), (3,))) == {1, 2}


def test_an_engine_without_its_library_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TFLM_ROOT", "TFLM_LIBRARY", "TFLM_INCLUDE_DIRS"):
        monkeypatch.delenv(name, raising=False)
    model = speech.load(tiny.write_model(tmp_path / "m.tflite"))

    found = bench.compare(model, boards.load("host"), tmp_path / "out", engines=["tflm"], inputs=1)

    assert found.engines[0].why.startswith("TFLite-Micro was not found: TFLM_ROOT is not set")
    assert not (tmp_path / "out").exists()
