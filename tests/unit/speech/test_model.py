"""The facts that travel with a model: what was embedded is loaded, what is wrong is named."""

import dataclasses
import json
from pathlib import Path

import pytest

from edgeasr import graph as graphs
from edgeasr import speech
from edgeasr.errors import InputError
from edgeasr.speech.model import check_shapes
from tests import tiny
from tests.vectors.kernels.tflite_builder import serialize

NASTY = ('say "yes"', "*/ int x; /*", "où ça", "日本語", "a\\b", "??/", "%s")


def test_facts_travel_in_the_file(tmp_path: Path) -> None:
    model = speech.load(tiny.write_model(tmp_path / "tiny.tflite"))

    assert model.facts == tiny.facts()
    assert model.name == "tiny"
    assert model.facts.clip_samples == 480 + 5 * 320


def test_embedding_again_replaces(tmp_path: Path) -> None:
    once = speech.embed(serialize(tiny.graph()), tiny.facts("first"))
    twice = speech.embed(once, tiny.facts("second"))
    (tmp_path / "m.tflite").write_bytes(twice)

    assert speech.load(tmp_path / "m.tflite").name == "second"
    assert list(graphs.parse(twice).metadata) == [speech.METADATA_NAME]


def test_a_sidecar_serves_a_foreign_model(tmp_path: Path) -> None:
    (tmp_path / "kws.tflite").write_bytes(serialize(tiny.graph()))
    (tmp_path / "kws.toml").write_text(
        """
        name = "kws"
        labels = ["_silence_", "_unknown_", "yes", "no"]
        frames = 6
        feature_scale = 0.015625
        feature_offset = 0.0
        [front_end]
        kind = "micro"
        window_ms = 30
        hop_ms = 20
        channels = 8
        [decision]
        window = 2
        threshold = 0.5
        refractory_ms = 200
        hop_frames = 2
        """
    )

    assert speech.load(tmp_path / "kws.tflite").facts.front_end == tiny.FRONT_END


def test_no_facts_at_all_is_said(tmp_path: Path) -> None:
    (tmp_path / "kws.tflite").write_bytes(serialize(tiny.graph()))

    with pytest.raises(InputError, match=r"no kws\.toml beside it"):
        speech.load(tmp_path / "kws.tflite")


@pytest.mark.parametrize("text", ["[[[", "a = ", "labels = 3"])
def test_a_broken_sidecar_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "kws.tflite").write_bytes(serialize(tiny.graph()))
    (tmp_path / "kws.toml").write_text(text)

    with pytest.raises(InputError, match=r"kws\.toml: "):
        speech.load(tmp_path / "kws.tflite")


@pytest.mark.parametrize("labels", [NASTY[:4], NASTY[3:]])
def test_printable_labels_are_taken(tmp_path: Path, labels: tuple[str, ...]) -> None:
    path = tiny.write_model(tmp_path / "tiny.tflite", labels=labels)

    assert speech.load(path).facts.labels == labels


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"labels": ["a", "b\nc", "d", "e"]}, "label 1 is 'b\\\\nc'; printable text is allowed"),
        ({"labels": ["a", "", "d", "e"]}, "label 1 is ''"),
        ({"labels": ["a", 3, "d", "e"]}, "label 1 is 3"),
        ({"labels": ["a", "b" * 65, "d", "e"]}, "has 65 bytes; at most 64"),
        ({"labels": ["a", "b", "a", "c"]}, 'label "a" stands twice'),
        ({"labels": []}, "a list of 1 to 256 texts"),
        ({"labels": ["a", "b", "c"]}, "4 values, the facts name 3 labels"),
        ({"frames": 0}, "frames is 0"),
        ({"frames": 7}, "7 frames of 8 features, 56 values"),
        ({"frames": True}, "frames is True"),
        ({"name": "a\n"}, "name is"),
        ({"name": ""}, "name is"),
        ({"feature_scale": 0}, "must be above 0"),
        ({"feature_scale": "x"}, "a finite number"),
        ({"format": 2}, "facts of format 2; this edgeasr reads 1"),
        ({"front_end": 3}, "a table is expected"),
        ({"front_end": {"kind": "wavelet"}}, "wavelet"),
        ({"decision": {"windows": 1}}, '"windows" is not a parameter'),
        ({"frame": 3}, 'key "frame" is not known'),
    ],
)
def test_a_wrong_fact_is_named(tmp_path: Path, change: dict, says: str) -> None:
    facts = tiny.facts()
    raw = facts.to_dict() | change

    class Changed:
        def to_dict(self) -> dict:
            return raw

    path = tmp_path / "kws.tflite"
    path.write_bytes(speech.embed(serialize(tiny.graph()), Changed()))

    with pytest.raises(InputError, match=says):
        speech.load(path)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"3", b"\xff\xfe", b"[" * 100_000])
def test_metadata_that_is_no_table_is_refused(tmp_path: Path, text: bytes) -> None:
    content = speech.embed(serialize(tiny.graph()), tiny.facts())
    graph = graphs.parse(content)
    stored = json.dumps(tiny.facts().to_dict(), sort_keys=True, default=str).encode()
    assert graph.metadata[speech.METADATA_NAME] == stored
    broken = content.replace(stored, text[: len(stored)].ljust(len(stored), b" "))
    (tmp_path / "kws.tflite").write_bytes(broken)

    with pytest.raises(InputError, match="metadata EDGEASR"):
        speech.load(tmp_path / "kws.tflite")


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    raw = tiny.facts().to_dict()
    del raw["labels"]

    with pytest.raises(InputError, match="labels missing; a speech model's facts are"):
        speech.parse_facts(raw, "kws.toml")


@pytest.mark.parametrize(
    ("dtype", "scale", "zero_point", "good"),
    [
        ("int8", 1 / 256, -128, True),
        ("uint8", 1 / 256, 0, True),
        ("int16", 1 / 32768, 0, True),
        ("int8", 0.1, 3, False),
        ("int8", 1 / 256, 0, False),
        ("uint8", 1 / 256, -128, False),
        ("int16", 1 / 256, 0, False),
    ],
)
def test_outputs_that_are_no_probabilities_are_doubted(
    dtype: str, scale: float, zero_point: int, good: bool
) -> None:
    graph = tiny.graph()
    scores = dataclasses.replace(
        graph.tensor(8), dtype=dtype, quantization=tiny.quantized(scale, zero_point)
    )
    graph = dataclasses.replace(graph, tensors=(*graph.tensors[:8], scores))
    doubt = speech.SpeechModel(Path("m.tflite"), b"", graph, tiny.facts()).scores_doubt
    assert (doubt is None) is good
    if doubt:
        assert f'output "scores" has scale {scale:.6g} and zero point {zero_point}' in doubt


def test_a_model_with_state_takes_each_frame_once(tmp_path: Path) -> None:
    graph = tiny.graph()
    kept = dataclasses.replace(graph.tensor(3), is_variable=True)
    tensors = (*graph.tensors[:3], kept, *graph.tensors[4:])
    model = speech.SpeechModel(
        Path("m.tflite"), b"", dataclasses.replace(graph, tensors=tensors), tiny.facts()
    )
    with pytest.raises(InputError, match="hop_frames is 2; a model with state takes each frame"):
        check_shapes(model)
