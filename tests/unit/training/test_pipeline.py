"""The pipeline on recordings of tones: files appear whole, facts and card agree, refusals."""

import builtins
import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from edgeasr import deploy, paths, speech, training
from edgeasr.errors import InputError, ToolError
from edgeasr.models import architectures
from tests.conftest import need_package

need_package("keras")


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
    assert facts.decision.hop_frames == 5


def test_the_card_counts_what_was_measured(trained):
    measured = trained.card["test"]
    assert measured["clips"] == sum(row["test"] for row in trained.card["clips"].values())
    assert np.array(measured["confusion"]).sum() == measured["clips"]
    assert trained.card["size_bytes"] == len(trained.content)
    assert trained.card["stream"]["test_foreign_minutes"] == pytest.approx(0.05)
    assert trained.card["test_noise"]["snr_db"] == 10


def test_the_same_training_is_not_done_twice(data, kept, trained, quick):
    said, epochs = [], []
    observer = training.Observer(said.append, on_epoch=lambda epoch, total: epochs.append(epoch))
    arrays = training.compute(training.gather(data, quick, observer), quick, observer)
    again = training.fit(arrays, quick, observer)
    assert not epochs
    assert any("not training again" in line for line in said)
    kernel = again.model.get_layer("logits").kernel
    assert np.array_equal(kernel, trained.model.get_layer("logits").kernel)


def test_a_training_that_is_stopped_leaves_nothing(data, kept, quick):
    class Stop(Exception):
        pass

    def stop(epoch, total):
        raise Stop

    options = replace(quick, recipe=replace(quick.recipe, seed=77))
    before = {file.name for file in kept.rglob("*")}
    with pytest.raises(Stop):
        training.train(data, options, training.Observer(on_epoch=stop))
    assert {file.name for file in kept.rglob("*")} == before


def test_a_model_for_streams_can_be_exported_incremental_at_once(data, kept, quick, tmp_path):
    made = training.train(data, replace(quick, architecture="ds_stream"))
    training.write(made, tmp_path, "edgeasr train digits --model ds_stream")
    assert made.facts.decision.hop_frames == made.card["stream"]["decision"]["hop_frames"] == 4
    streaming = deploy.make_incremental(speech.load(tmp_path / "digits.tflite"))
    assert (streaming.hop, streaming.steps) == (4, 13)


def test_missing_tensorflow_is_a_sentence_with_its_command(data, quick, monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **named):
        if name.split(".")[0] in ("keras", "tensorflow"):
            raise ImportError(f"No module named {name}", name=name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ToolError, match=r"pip install 'edgeasr\[train\]'"):
        training.train(data, quick)


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
