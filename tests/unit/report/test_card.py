"""Cards of the zoo: complete, honest in form, and free of this computer's paths."""

import json
import re

import numpy as np
import pytest

from edgeasr import paths, speech
from edgeasr.report import card

NAMES = sorted(path.stem for path in paths.zoo().glob("*.tflite"))


def test_the_zoo_has_both_models():
    assert NAMES == ["digits", "keywords"]


@pytest.mark.parametrize("name", NAMES)
def test_a_zoo_card_is_what_its_json_says(name):
    contents = json.loads((paths.zoo() / f"{name}.json").read_text())
    assert (paths.zoo() / f"{name}.md").read_text() == card.render(contents)


@pytest.mark.parametrize("name", NAMES)
def test_model_and_card_agree(name):
    contents = json.loads((paths.zoo() / f"{name}.json").read_text())
    file = paths.zoo() / f"{name}.tflite"
    facts = speech.load(file).facts
    assert contents["size_bytes"] == file.stat().st_size < 60_000
    assert contents["labels"] == list(facts.labels)
    assert contents["front_end"] == facts.front_end.to_dict()
    assert contents["stream"]["decision"] == facts.decision.to_dict()
    told = facts.provenance["accuracy_test"]["int8"]
    assert told == pytest.approx(contents["test"]["accuracy"], abs=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_int8_loses_half_a_point_at_most(name):
    test = json.loads((paths.zoo() / f"{name}.json").read_text())["test"]
    assert test["accuracy"] >= test["accuracy_float"] - 0.005


@pytest.mark.parametrize("name", NAMES)
def test_no_synthetic_clip_is_tuned_or_measured_on(name):
    data = json.loads((paths.zoo() / f"{name}.json").read_text())["data"]
    assert data["synthetic"]["val"] == data["synthetic"]["test"] == 0


@pytest.mark.parametrize("name", NAMES)
def test_cards_name_licences_and_no_absolute_paths(name):
    text = (paths.zoo() / f"{name}.md").read_text()
    assert "CC BY-SA 4.0 (trained on fsdd" in text
    assert "not stated" not in text
    for suffix in ("md", "json"):
        found = re.search(r'[\s"`(]/[a-z]+/', (paths.zoo() / f"{name}.{suffix}").read_text())
        assert found is None, found


def test_share_alike_data_decides_the_licence_of_the_weights_only_where_it_trained():
    used = {"fsdd": {"licence": "CC BY-SA 4.0", "train": 3}}
    assert card.weights_licence(used) == "CC BY-SA 4.0 (trained on fsdd)"
    used["fsdd"]["train"] = 0
    assert card.weights_licence(used) == "Apache-2.0"


def test_results_hold_accuracy_interval_and_classes():
    made = card.result(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]), ("a", "b"))
    assert made["accuracy"] == 0.75
    low, high = made["interval_95"]
    assert 0 < low < 0.75 < high < 1
    assert made["per_class"][0] == {"label": "a", "clips": 2, "recall": 0.5, "precision": 1.0}


def test_numbers_that_are_not_finite_become_null():
    assert json.loads(card.to_json({"a": float("nan"), "b": [float("inf"), 1.5]})) == {
        "a": None, "b": [None, 1.5],
    }  # fmt: skip
