"""Engines side by side: what counts as a difference, and what an engine that is missing is."""

import dataclasses
from pathlib import Path

import pytest

from edgeasr import bench, boards, speech
from edgeasr.bench import Comparison, Measured
from edgeasr.hil import TensorReport
from tests import tiny

REPORT = TensorReport(
    board="host",
    engine="ear",
    model="m",
    model_sha256="0" * 64,
    reference="TFLite-Micro",
    inputs=3,
    unequal=(),
    layers=2,
    layers_unequal=(),
    stateful=False,
    instructions=1234,
    distinct_outputs=3,
)
EAR = Measured("ear", report=REPORT, flash_bytes=10_000, ram_bytes=2_000)
MISSING = Measured("tflm", why="no library")


def _comparison(*engines: Measured) -> Comparison:
    return Comparison(
        model="m.tflite",
        sha256="0" * 64,
        board="host",
        macs=1,
        operations=("CONV_2D", "CUSTOM:SignalPCAN"),
        inputs=3,
        engines=engines,
    )


def _with(**changes: object) -> Measured:
    return dataclasses.replace(EAR, report=dataclasses.replace(REPORT, **changes))


def test_engines_that_agree() -> None:
    found = _comparison(EAR, dataclasses.replace(EAR, engine="tflm"))

    assert found.agrees
    assert [engine.equal for engine in found.engines] == [3, 3]
    assert found.to_dict()["engines"][0]["instructions"] == 1234


@pytest.mark.parametrize("changes", [{"unequal": (1,)}, {"layers_unequal": (0,)}])
def test_one_output_or_layer_that_differs_is_no_agreement(changes: dict[str, object]) -> None:
    assert not _comparison(EAR, _with(**changes)).agrees


def test_an_engine_that_did_not_run_is_no_difference() -> None:
    found = _comparison(EAR, MISSING)

    assert found.agrees
    assert found.to_dict()["engines"][1] == {
        "engine": "tflm",
        "why": "no library",
        "failed": False,
    }


def test_firmware_that_failed_does_not_agree() -> None:
    assert not _comparison(EAR, Measured("tflm", why="no HELLO", failed=True)).agrees


def test_a_summary_has_a_row_for_each_model() -> None:
    lines = bench.summary([_comparison(_with(unequal=(2,)), MISSING)])

    heads = "Model | Operations | Equal | ear: instructions | tflm: instructions"
    assert lines[0] == f"| {heads} | ear: flash | tflm: flash | ear: RAM | tflm: RAM |"
    assert lines[2] == (
        "| `m.tflite` | CONV_2D, SignalPCAN | 2 of 3; 2 of 2 layers "
        "| 1,234 | – | 10,000 | – | 2,000 | – |"
    )
    assert len(lines) == 3


def test_a_summary_of_what_no_engine_runs_says_nothing() -> None:
    line = bench.summary([_comparison(MISSING)])[2]

    assert line == "| `m.tflite` | CONV_2D, SignalPCAN | – | – | – | – |"


def test_an_engine_without_its_library_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TFLM_ROOT", "TFLM_LIBRARY", "TFLM_INCLUDE_DIRS"):
        monkeypatch.delenv(name, raising=False)
    model = speech.load(tiny.write_model(tmp_path / "m.tflite"))

    found = bench.compare(model, boards.load("host"), tmp_path / "out", engines=["tflm"], inputs=1)

    assert found.engines[0].why.startswith("TFLite-Micro was not found: TFLM_ROOT is not set")
    assert not (tmp_path / "out").exists()
