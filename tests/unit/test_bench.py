"""Engines side by side: what counts as a difference, and what an engine that is missing is."""

import dataclasses
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from edgeasr import bench, boards, speech
from edgeasr.bench import Comparison, Measured, baseline
from edgeasr.bench.layers import costs
from edgeasr.cli import bench as command
from edgeasr.errors import CheckError, InputError
from edgeasr.hil import TensorReport
from edgeasr.project import Layer
from edgeasr.report import layers as picture
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


def _baseline(file: Path, *found: Comparison) -> baseline.Figures:
    baseline.save(file, found)
    return baseline.load(file)


def test_a_figure_that_grew_is_said_with_model_board_and_both_values(tmp_path: Path) -> None:
    held = _baseline(tmp_path / "b.json", _comparison(EAR))

    (change,) = baseline.changes(held, [_comparison(_with(instructions=1300))])

    assert str(change) == "m.tflite on host, ear: instructions 1,234 → 1,300 (+5.3 %)"


def test_a_baseline_keeps_what_was_not_measured_again(tmp_path: Path) -> None:
    file = tmp_path / "b.json"
    _baseline(file, _comparison(EAR, dataclasses.replace(EAR, engine="tflm")))

    held = _baseline(file, _comparison(_with(instructions=1000)))

    assert held["host"]["tflm"]["m.tflite"]["instructions"] == 1234
    assert held["host"]["ear"]["m.tflite"]["instructions"] == 1000


def test_what_is_not_counted_is_not_in_a_baseline(tmp_path: Path) -> None:
    held = _baseline(tmp_path / "b.json", _comparison(_with(instructions=None)))

    assert held["host"]["ear"]["m.tflite"] == {"flash_bytes": 10_000, "ram_bytes": 2_000}


def test_what_is_new_is_no_change_and_what_ran_before_is_lost(tmp_path: Path) -> None:
    held = _baseline(tmp_path / "b.json", _comparison(dataclasses.replace(EAR, engine="tflm")))

    assert baseline.changes(held, [_comparison(EAR)]) == []
    assert baseline.unknown(held, [_comparison(EAR)]) == ["m.tflite on host, ear"]
    assert baseline.lost(held, [_comparison(MISSING)]) == [
        "m.tflite on host, tflm: does not run any more: no library"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"format": 2, "boards": {}}',
        '{"format": 1, "boards": []}',
        '{"format": 1, "boards": {"b": {"ear": {"m": 3}}}}',
        '{"format": 1, "boards": {"b": {"ear": {"m": {"flash_bytes": "3"}}}}}',
        '{"format": 1, "boards": {"b": {"ear": {"m": {"cycles": 3}}}}}',
    ],
)
def test_a_damaged_baseline_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "b.json"
    file.write_text(text)

    with pytest.raises(InputError, match=r"b\.json: not (readable as )?a baseline"):
        baseline.load(file)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--engines", "ear,tfml"],
            'engine "tfml" not found; allowed: bakenn, ear, tflite, tflm, xnnpack',
        ),
        (["--baseline", "gone.json"], "gone.json: there is no baseline; write one with"),
        (["--update-baseline"], "--update-baseline goes with --baseline FILE"),
        (["--picture", "p.png"], "p.png: the picture is an SVG drawing"),
        (["--picture", "p.svg", "keywords"], "--picture draws one model, and 2 are given"),
    ],
)
def test_wrong_arguments_are_refused_before_the_work(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(command.app, ["digits", "--board", "host", *arguments])

    assert isinstance(result.exception, InputError)
    assert message in str(result.exception)


def test_the_picture_has_a_bar_a_layer_and_escapes_names() -> None:
    text = picture.render({"ear": [("0 CONV_2D", 300, 100), ("1 <b>", 100, 0)], "tflm": []}, "m&m")

    assert text.count("<rect") == 2
    assert "300, 75.0 %, 3.00 a MAC" in text and "&lt;b&gt;" in text and "m&amp;m" in text
    assert "tflm" not in text


def test_code_counts_once_and_weights_apart_from_tables(tmp_path: Path) -> None:
    graph = speech.load(tiny.write_model(tmp_path / "m.tflite")).graph
    op = next(op for op in graph.ops if op.kind == "CONV_2D")
    one = Layer(0, op.index, op.kind, "ear_conv2d_s8", op.outputs[0], 100, 5000, "raw", 8, 9, 9)
    both = [one, dataclasses.replace(one, index=1)]

    found = costs(graph, both, [250, None], code={"ear_conv2d_s8.c": 400})

    assert [layer.code_bytes for layer in found] == [400, 0]
    assert (found[0].weight_bytes, found[0].table_bytes) == (9, 4991)
    assert [layer.instructions_per_mac for layer in found] == [2.5, None]


def _bench(monkeypatch: pytest.MonkeyPatch, made: Comparison, *arguments: str) -> Result:
    monkeypatch.setattr(bench, "compare", lambda *_, **__: made)
    return CliRunner().invoke(command.app, ["digits", "--board", "host", *arguments])


def test_a_worse_figure_ends_with_1_until_it_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "b.json"
    baseline.save(file, [_comparison(EAR)])
    worse = _comparison(_with(instructions=1300))

    refused = _bench(monkeypatch, worse, "--baseline", str(file))
    allowed = _bench(monkeypatch, worse, "--baseline", str(file), "--tolerance", "6")
    accepted = _bench(monkeypatch, worse, "--baseline", str(file), "--update-baseline")

    assert isinstance(refused.exception, CheckError)
    assert "instructions 1,234 → 1,300 (+5.3 %)" in str(refused.exception)
    assert "run the same command with --update-baseline" in str(refused.exception)
    assert allowed.exit_code == accepted.exit_code == 0
    assert baseline.load(file)["host"]["ear"]["m.tflite"]["instructions"] == 1300


def test_an_engine_that_no_longer_runs_is_worse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "b.json"
    baseline.save(file, [_comparison(EAR)])

    refused = _bench(
        monkeypatch, _comparison(Measured("ear", why="no kernel")), "--baseline", str(file)
    )

    assert "m.tflite on host, ear: does not run any more: no kernel" in str(refused.exception)
