"""microWakeWord's manifests of both versions become facts; what is wrong with one is named."""

import copy
import json
from pathlib import Path

import pytest

from edgeasr import speech
from edgeasr.errors import InputError
from edgeasr.features import FeatureQuantization, FrontEnd
from edgeasr.graph import Graph
from tests.unit.speech import foreign
from tests.vectors.kernels.tflite_builder import serialize

V2 = {
    "type": "micro",
    "wake_word": "Hey Jo",
    "author": "Somebody",
    "website": "https://example.org/",
    "model": "hey_jo.tflite",
    "trained_languages": ["en"],
    "version": 2,
    "micro": {
        "probability_cutoff": 0.97,
        "feature_step_size": 10,
        "sliding_window_size": 5,
        "tensor_arena_size": 22860,
        "minimum_esphome_version": "2024.7.0",
    },
}
V1 = {
    "type": "micro",
    "wake_word": "Jo",
    "author": "Somebody",
    "website": "https://example.org/",
    "model": "./jo.tflite",
    "version": 1,
    "micro": {"probability_cutoff": 0.66, "sliding_window_average_size": 10},
}


def _load(tmp_path: Path, manifest: object, graph: Graph | None = None) -> speech.SpeechModel:
    (tmp_path / "jo.tflite").write_bytes(serialize(graph or foreign.wake_word_graph()))
    (tmp_path / "jo.json").write_text(
        manifest if isinstance(manifest, str) else json.dumps(manifest)
    )
    return speech.load(tmp_path / "jo.tflite")


def test_version_2(tmp_path: Path) -> None:
    model = _load(tmp_path, V2)
    facts, rule = model.facts, model.facts.decision

    assert (model.name, facts.labels, facts.frames) == ("hey_jo", ("hey_jo",), 3)
    assert facts.front_end == FrontEnd(window_ms=30, hop_ms=10)
    assert (rule.rule, rule.window, rule.hop_frames, rule.refractory_ms) == (
        "micro_wake_word", 5, 3, 1000
    )  # fmt: skip
    # ESPHome: int(0.97 * 255) = 247, and the sum must be above it; 100 steps without a detection.
    assert rule.least_sum == 5 * 247 + 1
    assert rule.warmup_samples(16_000) == facts.front_end.samples_for(100)
    assert rule.refractory_samples(16_000) == 100 * facts.front_end.hop_samples
    assert model.source == "jo.json"
    assert facts.provenance["author"] == "Somebody"


def test_version_1_has_steps_of_20_ms_one_at_a_time(tmp_path: Path) -> None:
    facts = _load(tmp_path, V1, foreign.wake_word_graph(steps=1)).facts

    assert (facts.frames, facts.front_end.hop_ms, facts.decision.hop_frames) == (1, 20, 1)
    assert (facts.decision.window, facts.decision.least_sum) == (10, 10 * 168 + 1)


def test_the_input_is_quantized_as_upstream_does_it(tmp_path: Path) -> None:
    assert _load(tmp_path, V2).feature_quantization == FeatureQuantization(128, 333, -128)


def test_the_file_may_be_given(tmp_path: Path) -> None:
    (tmp_path / "jo.tflite").write_bytes(serialize(foreign.wake_word_graph()))
    (tmp_path / "any.json").write_text(json.dumps(V2))
    model = speech.load(tmp_path / "jo.tflite", facts=tmp_path / "any.json")
    assert (model.name, model.source) == ("hey_jo", str(tmp_path / "any.json"))


def test_keys_that_say_nothing_of_the_recogniser_may_be_missing(tmp_path: Path) -> None:
    few = {key: V2[key] for key in ("type", "version", "wake_word", "micro")}
    assert _load(tmp_path, few).name == "hey_jo"


def _changed(path: str, value: object) -> dict:
    manifest = copy.deepcopy(V2)
    table = manifest["micro"] if path.startswith("micro.") else manifest
    key = path.rpartition(".")[2]
    if value is None:
        del table[key]
    else:
        table[key] = value
    return manifest


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("version", 3, r"type 'micro' and version 3; type \"micro\" and version 1 or 2 are known"),
        ("version", None, "version None"),
        ("version", True, "version True"),
        ("type", "openwakeword", "type 'openwakeword'"),
        ("micro", 3, "micro is 3; a table is expected"),
        ("wake_word", "  ", "wake_word is '  '; the word as text is needed"),
        ("wake_word", None, "wake_word is None"),
        ("wakeword", "Jo", 'key "wakeword" is not known; allowed: author, micro, model'),
        ("micro.sliding_window_average_size", 5, 'key "sliding_window_average_size" is not known'),
        ("micro.sliding_window_size", None, "sliding_window_size is None; a whole number from 1"),
        ("micro.sliding_window_size", 256, "sliding_window_size is 256"),
        ("micro.sliding_window_size", 2.0, "sliding_window_size is 2.0"),
        ("micro.feature_step_size", None, "feature_step_size is None"),
        ("micro.feature_step_size", 0, "feature_step_size is 0; a whole number of milliseconds"),
        ("micro.probability_cutoff", None, "probability_cutoff is None; 0 to 1 is needed"),
        ("micro.probability_cutoff", 97, "probability_cutoff is 97"),
        ("micro.probability_cutoff", True, "probability_cutoff is True"),
        ("micro.probability_cutoff", float("nan"), "probability_cutoff is nan"),
    ],
)
def test_a_wrong_manifest_is_named(tmp_path: Path, path: str, value: object, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        _load(tmp_path, _changed(path, value))
    assert "jo.json" in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "[" * 100_000, '{"type": "micro"'])
def test_what_is_no_json_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"jo\.json: (not JSON|a table is expected)"):
        _load(tmp_path, text)


def test_another_json_beside_the_model_is_not_taken(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no microWakeWord manifest jo\.json"):
        _load(tmp_path, {"accuracy": 0.9})


@pytest.mark.parametrize(
    ("manifest", "graph", "says"),
    [
        (V1, foreign.wake_word_graph(steps=3), "takes 3; its manifest should be of version 2"),
        (
            V2,
            foreign.wake_word_graph(features=32),
            r"shape \[1, 3, 32\]; .* takes \[1, steps, 40\]",
        ),
        (V2, foreign.wake_word_graph(outputs=2), "has 2 values; .* gives one"),
    ],
)
def test_a_model_of_another_kind_is_refused(
    tmp_path: Path, manifest: dict, graph: Graph, says: str
) -> None:
    with pytest.raises(InputError, match=says):
        _load(tmp_path, manifest, graph)
