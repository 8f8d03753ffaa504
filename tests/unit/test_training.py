"""The pipeline on recordings of tones: files appear whole, facts and card agree, refusals."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from edgeasr import paths, speech, training
from edgeasr.audio.pcm import write
from edgeasr.errors import InputError, ToolError
from edgeasr.models import architectures
from edgeasr.models.fitting import Recipe
from edgeasr.training import Options

pytest.importorskip("keras")
QUICK = Options(
    "digits",
    "cnn_tiny",
    recipe=Recipe(epochs=1, batch=16),
    takes=1,
    synthetic=0,
)


def tone(hertz, seconds, rng):
    wave = 5000 * np.sin(2 * np.pi * hertz * np.arange(int(16000 * seconds)) / 16000)
    return (wave + rng.normal(0, 20, len(wave))).astype(np.int16)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Return a folder of data sets: "zero", "one" and "hello" as tones, white noise, foreign
    speech."""
    folder, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(8)
    sets = {"digits": [], "noise": []}
    for split, speakers in (("train", 6), ("val", 3), ("test", 3)):
        for speaker in range(speakers):
            for word, label, hertz in (
                ("zero", "0", 300),
                ("one", "1", 1500),
                ("hello", "x", 4000),
            ):
                name = f"{split}_{speaker}_{word}.wav"
                row = [name, label, word, f"t:{split}{speaker}", split]
                sets["digits"].append((row, tone(hertz + 30 * speaker, 0.6, rng)))
        for label, seconds in (("hum", 4.0), ("_negative_speech_", 3.0)):
            row = [f"{split}_{label}.wav", label, label, "", split]
            sets["noise"].append((row, tone(120, seconds, rng)))
    for part, rows in sets.items():
        (folder / part).mkdir()
        with (folder / part / "manifest.csv").open("w", newline="") as stream:
            lines = csv.writer(stream)
            lines.writerow(["file", "label", "word", "speaker", "split"])
            for row, pcm in rows:
                lines.writerow(row)
                write(folder / part / row[0], pcm, 16000)
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def kept(cache, monkeypatch):
    monkeypatch.setenv("EDGEASR_CACHE", str(cache))
    return cache


@pytest.fixture(scope="module")
def trained(data, cache):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEASR_CACHE", str(cache))
        return training.train(data, QUICK)


def test_the_file_carries_the_facts_that_the_pipeline_found(trained, tmp_path):
    files = training.write(trained, tmp_path / "out", "edgeasr train digits")
    assert sorted(file.name for file in files) == [
        "digits.json", "digits.keras", "digits.md", "digits.tflite",
    ]  # fmt: skip
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == sorted(
        file.name for file in files
    )
    facts = speech.load(tmp_path / "out" / "digits.tflite").facts
    assert facts.labels == ("_silence_", "_unknown_", *"0123456789")
    assert facts.frames == 49
    assert facts.provenance["split"].startswith("speaker-disjoint")
    assert facts.decision.ignored == ("_silence_", "_unknown_")


def test_the_card_counts_what_was_measured(trained):
    measured = trained.card["test"]
    assert measured["clips"] == sum(row["test"] for row in trained.card["clips"].values())
    assert np.array(measured["confusion"]).sum() == measured["clips"]
    assert trained.card["size_bytes"] == len(trained.content)
    assert trained.card["stream"]["test_foreign_minutes"] == pytest.approx(0.05)
    assert trained.card["test_noise"]["snr_db"] == 10


def test_the_same_training_is_not_done_twice(data, kept, trained):
    said, epochs = [], []
    observer = training.Observer(said.append, on_epoch=lambda epoch, total: epochs.append(epoch))
    arrays = training.compute(training.gather(data, QUICK, observer), QUICK, observer)
    again = training.fit(arrays, QUICK, observer)
    assert not epochs
    assert any("not training again" in line for line in said)
    kernel = again.model.get_layer("logits").kernel
    assert np.array_equal(kernel, trained.model.get_layer("logits").kernel)


def test_a_training_that_is_stopped_leaves_nothing(data, kept):
    class Stop(Exception):
        pass

    def stop(epoch, total):
        raise Stop

    options = replace(QUICK, recipe=replace(QUICK.recipe, seed=77))
    before = {file.name for file in kept.rglob("*")}
    with pytest.raises(Stop):
        training.train(data, options, training.Observer(on_epoch=stop))
    assert {file.name for file in kept.rglob("*")} == before


def test_quantizing_again_gives_a_speech_model_with_the_same_facts(data, kept, trained, tmp_path):
    training.write(trained, tmp_path, "edgeasr train digits")
    out = tmp_path / "again.tflite"
    result = training.requantize(tmp_path / "digits.keras", data, out)
    assert result["test_clips"] == trained.card["test"]["clips"]
    assert speech.load(out).facts.labels == trained.facts.labels


def test_what_is_not_a_keras_model_is_refused(data, tmp_path):
    with pytest.raises(InputError, match=r"no such \.keras file"):
        training.requantize(tmp_path / "none.keras", data, tmp_path / "x.tflite")
    broken = tmp_path / "broken.keras"
    broken.write_bytes(b"not a model")
    with pytest.raises(InputError, match=r"broken\.keras: is not a Keras model"):
        training.requantize(broken, data, tmp_path / "x.tflite")
    assert not (tmp_path / "x.tflite").exists()


def test_missing_tensorflow_is_a_sentence_with_its_command(data, monkeypatch):
    import builtins

    real = builtins.__import__

    def without(name, *rest, **named):
        if name.split(".")[0] in ("keras", "tensorflow"):
            raise ImportError(f"No module named {name}", name=name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ToolError, match=r"pip install 'edgeasr\[train\]'"):
        training.train(data, QUICK)


def test_names_that_do_not_exist_are_refused_before_any_work(data):
    from edgeasr.cli.train import app

    for words, message in (
        (["numbers", "--data", str(data)], 'task "numbers" is not known; allowed: digits'),
        (["digits", "--data", str(data), "--model", "lstm"], 'model "lstm" is not known'),
        (["digits", "--data", str(data), "--front-end", "x"], 'front end "x" is not known'),
        (["digits", "--data", str(data / "gone")], "gone"),
    ):
        outcome = CliRunner().invoke(app, words)
        assert isinstance(outcome.exception, InputError), outcome.output
        assert message in str(outcome.exception)


def test_a_zoo_models_cost_is_that_of_its_architecture():
    card = json.loads((paths.zoo() / "digits.json").read_text())
    model = architectures.build(card["architecture"], card["frames"], 40, len(card["labels"]))
    assert card["macs"] == architectures.macs(model)
