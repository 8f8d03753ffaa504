"""Which facts count when several are there, and how a bare model comes about."""

import hashlib
import json
import tomllib
from pathlib import Path

import pytest

from edgeasr import features, speech
from edgeasr.errors import InputError
from edgeasr.features import FeatureQuantization
from edgeasr.speech import known
from tests import tiny
from tests.unit.speech import foreign
from tests.unit.speech.test_micro_wake_word import V2
from tests.vectors.kernels.tflite_builder import serialize

_STEPS = """
name = "{name}"
labels = ["jo"]
frames = 3
feature_steps = [256, 666, -128]
[front_end]
kind = "micro"
[decision]
hop_frames = 3
"""


def test_the_first_source_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "jo.tflite"
    content = serialize(foreign.wake_word_graph())
    facts = tomllib.loads(_STEPS.format(name="given"))
    (tmp_path / "given.json").write_text(json.dumps(facts))
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    held = tomllib.loads(_STEPS.format(name="known"))
    monkeypatch.setattr(known, "index", lambda: {digest: held})

    assert speech.load(path).name == "known"
    (tmp_path / "jo.json").write_text(json.dumps(V2))
    assert speech.load(path).name == "hey_jo"
    (tmp_path / "jo.toml").write_text(_STEPS.format(name="beside"))
    assert speech.load(path).name == "beside"
    path.write_bytes(speech.embed(content, speech.load(path).facts))
    (tmp_path / "jo.toml").write_text(_STEPS.format(name="another"))
    inside = speech.load(path)
    assert (inside.name, inside.is_embedded) == ("beside", True)
    given = speech.load(path, facts=tmp_path / "given.json")
    assert (given.name, given.is_embedded) == ("given", False)


def test_steps_of_the_input_survive_the_file(tmp_path: Path) -> None:
    (tmp_path / "jo.toml").write_text(_STEPS.format(name="jo"))
    path = tmp_path / "jo.tflite"
    path.write_bytes(serialize(foreign.wake_word_graph()))
    model = speech.load(path)
    (tmp_path / "facts.json").write_text(json.dumps(model.facts.to_dict()))

    again = speech.load(path, facts=tmp_path / "facts.json")

    assert again.feature_quantization == FeatureQuantization(128, 333, -128)
    assert again.facts == model.facts


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        ("[256, 666]", "three whole numbers"),
        ("[256, 666, 0.5]", "three whole numbers"),
        ("3", "three whole numbers"),
        ("[256, 0, -128]", "n and d must be 1 or more"),
        ("[40000, 666, -128]", "of 15 bits"),
        ("[256, 666, -128]\nfeature_scale = 1.0", "in the place of feature_scale"),
    ],
)
def test_wrong_steps_are_named(tmp_path: Path, steps: str, says: str) -> None:
    (tmp_path / "jo.tflite").write_bytes(serialize(foreign.wake_word_graph()))
    text = _STEPS.format(name="jo").replace("[256, 666, -128]", steps)
    (tmp_path / "jo.toml").write_text(text)
    with pytest.raises(InputError, match=says):
        speech.load(tmp_path / "jo.tflite")


def test_what_edgeasr_knows_is_whole() -> None:
    held = known.index()
    assert len(held) >= 7
    for digest, raw in held.items():
        assert len(bytes.fromhex(digest)) == 32
        scaled = {k: v for k, v in raw.items() if k != "feature_steps"}
        scale = {"feature_scale": 1, "feature_offset": 0} if "front_end" in raw else {}
        facts = speech.parse_facts(scaled | scale, digest)
        facts.decision.ignored_flags(facts.labels)
        assert str(raw["provenance"]["source"]).startswith("github.com/")


def test_known_models_are_those_of_the_manifest(shared_data: Path) -> None:
    there = {
        hashlib.sha256(path.read_bytes()).hexdigest(): path
        for path in (shared_data / "models").glob("*.tflite")
    }
    assert set(known.index()) <= set(there)
    for digest in known.index():
        model = speech.load(there[digest], front_end=speech.OPTIONAL)
        if model.hears:
            assert model.feature_quantization == FeatureQuantization(128, 333, -128)
        assert "SHA-256" in model.source


def test_manifest_and_knowledge_agree(shared_data: Path) -> None:
    for word in ("alexa", "hey_jarvis"):
        path = shared_data / "models" / f"mww_v2_{word}.tflite"
        manifest = shared_data / "models" / "inputs" / f"mww_v2_{word}.json"
        told, held = speech.load(path, facts=manifest).facts, speech.load(path).facts
        assert told.to_dict() | {"provenance": 0} == held.to_dict() | {"provenance": 0}


def test_facts_with_labels_alone_make_a_bare_model(tmp_path: Path) -> None:
    (tmp_path / "kws.tflite").write_bytes(serialize(tiny.graph()))
    (tmp_path / "kws.toml").write_text('name = "kws"\nlabels = ["a", "b", "c", "d"]')

    model = speech.load(tmp_path / "kws.tflite", front_end=speech.OPTIONAL)

    assert (model.hears, model.facts.labels, model.facts.clip_samples) == (False, tuple("abcd"), 0)
    assert speech.parse_facts(model.facts.to_dict(), "again") == model.facts
    with pytest.raises(InputError, match=r"facts \(kws\.toml\) name no front end"):
        speech.load(tmp_path / "kws.tflite")


def test_any_model_can_be_taken_bare(tmp_path: Path) -> None:
    (tmp_path / "kws.tflite").write_bytes(serialize(tiny.graph()))
    model = speech.load(tmp_path / "kws.tflite", front_end=speech.NONE)
    assert (model.name, model.facts.labels, model.hears) == ("kws", (), False)
    assert speech.parse_facts(model.facts.to_dict(), "again") == model.facts

    whole = speech.load(tiny.write_model(tmp_path / "t.tflite"), front_end=speech.NONE)
    assert (whole.name, whole.facts.labels, whole.hears) == ("tiny", tiny.LABELS, False)


def test_without_facts_bare_is_proposed_where_it_is_possible(tmp_path: Path) -> None:
    (tmp_path / "kws.tflite").write_bytes(serialize(tiny.graph()))
    with pytest.raises(InputError, match="for tensors alone, with --bare"):
        speech.load(tmp_path / "kws.tflite", front_end=speech.OPTIONAL)


def test_a_file_of_facts_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "kws.tflite").write_bytes(serialize(tiny.graph()))
    with pytest.raises(InputError, match=r"none\.toml: cannot be read: No such file"):
        speech.load(tmp_path / "kws.tflite", facts=tmp_path / "none.toml")


@pytest.mark.parametrize("dtype", features.DTYPES)
def test_ends_of_every_type_are_taken(tmp_path: Path, dtype: str) -> None:
    window = tiny.graph().tensor(0)
    given = type(window)(0, "features", window.shape, dtype, None, window.quantization)
    made = speech.input_quantization(given, 0.5, 0.0, "any.tflite")
    assert made.dtype == dtype


def test_an_end_of_another_type_is_refused() -> None:
    window = tiny.graph().tensor(0)
    given = type(window)(0, "features", window.shape, "int32", None, window.quantization)
    with pytest.raises(InputError, match='"features" is int32; int8, uint8 or int16, quantized'):
        speech.input_quantization(given, 0.5, 0.0, "any.tflite")
