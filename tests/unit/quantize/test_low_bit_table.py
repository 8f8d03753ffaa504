"""The table of low-bit weights: its front end, its clips, and what compensated rounding gains."""

import csv
import sys

import numpy as np
import pytest
import soundfile

from edgeasr import graph
from edgeasr.oracle import Oracle
from edgeasr.quantize import low_bit, schemes
from tests.conftest import need_package
from tools import low_bit_table

need_package("tflite_micro")


@pytest.fixture(scope="module")
def content(shared_data):
    return (shared_data / "models" / "mlperf_tiny_kws_ref_model.tflite").read_bytes()


@pytest.fixture(scope="module")
def to_input(content):
    model = graph.parse(content)
    entry = model.tensor(model.inputs[0]).quantization

    def convert(clips):
        features = np.stack([low_bit_table.mfcc(pcm) for pcm in clips])
        steps = np.rint(features / entry.scale) + entry.zero_point
        return steps.clip(-128, 127).astype(np.int8)

    return convert


def official_test_clips(shared_data, count):
    with (shared_data / "keywords" / "manifest.csv").open() as file:
        rows = [
            row
            for row in csv.DictReader(file)
            if row["file"].startswith("gsc/") and row["official_split"].startswith("testing")
        ]
    rows = rows[:: len(rows) // count][:count]
    labels = "down go left no off on right stop up yes silence unknown".split()
    clips = [
        soundfile.read(shared_data / "keywords" / row["file"], dtype="int16")[0] for row in rows
    ]
    return clips, np.array([labels.index(row["label"].strip("_")) for row in rows])


def test_the_front_end_is_the_models(content, to_input, shared_data):
    clips, labels = official_test_clips(shared_data, 200)
    assert low_bit.correct(content, to_input(clips), labels) >= 176  # 91.2 % of all 3,347


def test_a_tone_lies_in_its_band():
    weights = low_bit_table.mel_weights()
    assert weights.shape == (257, 40)
    assert weights[0].max() == 0
    inside = weights[4:120].sum(1)  # 125 Hz to 3.7 kHz: neighbouring triangles add up to one
    assert inside == pytest.approx(np.ones_like(inside))
    silence = low_bit_table.mfcc(np.zeros(16_000, np.int16))
    assert silence.shape == (49, 10)
    assert silence[:, 0] == pytest.approx(np.full(49, np.log(1e-6) * np.sqrt(2 * 40)))
    assert np.abs(silence[:, 1:]).max() < 1e-9


@pytest.mark.slow
def test_ternary_weights_work_without_training(content, to_input, shared_data):
    calibration = to_input(low_bit_table.calibration_clips(shared_data))
    clips, _ = official_test_clips(shared_data, 200)
    windows = to_input(clips)

    def answers(model):
        oracle = Oracle(model)
        return np.array([oracle.invoke(window).argmax() for window in windows])

    wanted, scheme = answers(content), schemes.parse("ternary")
    nearest = low_bit.quantize_weights(content, scheme)
    made = low_bit.quantize_weights(content, scheme, calibration, rounding="compensated")
    assert (answers(nearest) == wanted).mean() < 0.3
    assert (answers(made) == wanted).mean() > 0.8


def test_the_table_is_printed(content, shared_data, tmp_path, capsys, monkeypatch):
    windows = np.random.default_rng(1).integers(-60, 60, (3, 490)).astype(np.int8)
    rows = []
    for place, window in enumerate(windows):
        (tmp_path / f"{place}.bin").write_bytes(window.tobytes())
        rows.append(f"{place}.bin,12,{Oracle(content).invoke(window).argmax()}")
    (tmp_path / "y_labels.csv").write_text("\n".join(rows) + "\n")
    model = shared_data / "models" / "mlperf_tiny_kws_ref_model.tflite"
    given = [str(model), str(tmp_path), str(shared_data), "--scheme", "uniform4", "--clips", "1"]
    monkeypatch.setattr(sys, "argv", ["low_bit_table.py", *given])
    low_bit_table.main()
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "12 calibration clips, 3 test inputs"
    assert said[1].split() == ["int8", "as", "shipped", "3", "22,016", "B"]
    assert said[2].split()[:2] == ["uniform4/channel/mse", "nearest"]
    assert said[3].split()[-2:] == ["11,008", "B"]
