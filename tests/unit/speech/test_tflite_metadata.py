"""Labels out of TFLite's own metadata, and what hostile files do to it: a sentence, or nothing."""

import random
from pathlib import Path

import pytest

from edgeasr import speech
from edgeasr.errors import InputError
from tests import tiny
from tests.unit.speech import foreign
from tests.vectors.kernels.tflite_builder import serialize

_LABELS = b"_silence_\n_unknown_\r\nyes\nno\n\n"


def _load(tmp_path: Path, content: bytes) -> speech.SpeechModel:
    path = tmp_path / "kws.tflite"
    path.write_bytes(content)
    return speech.load(path, front_end=speech.OPTIONAL)


@pytest.mark.parametrize("of", ["output", "subgraph", "model"])
@pytest.mark.parametrize("kind", [2, 3])
def test_labels_are_read_from_the_archive(tmp_path: Path, of: str, kind: int) -> None:
    model = _load(tmp_path, foreign.labelled({"labels.txt": _LABELS}, of=of, kind=kind))

    assert model.facts.labels == tiny.LABELS
    assert model.facts.front_end is None
    assert (model.name, model.source, model.hears) == ("kws", "TFLite metadata", False)


def test_such_a_model_hears_nothing(tmp_path: Path) -> None:
    (tmp_path / "kws.tflite").write_bytes(foreign.labelled({"labels.txt": _LABELS}))

    with pytest.raises(InputError, match=r"facts \(TFLite metadata\) name no front end"):
        speech.load(tmp_path / "kws.tflite")


def test_other_files_are_no_labels(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no facts on labels"):
        _load(tmp_path, foreign.labelled({"labels.txt": _LABELS}, kind=1))


def test_metadata_without_any_file(tmp_path: Path) -> None:
    content = foreign.labelled({"labels.txt": _LABELS}, name=None)
    with pytest.raises(InputError, match="no facts on labels"):
        _load(tmp_path, content)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"other.txt": _LABELS}, 'names the file "labels.txt", which the model does not hold'),
        ({"labels.txt": b"a\nb\n"}, "4 values, the facts name 2 labels"),
        ({"labels.txt": b"a\n" * 257}, "a list of 1 to 256 texts"),
        ({"labels.txt": b"a\na\nb\nc"}, 'label "a" stands twice'),
        ({"labels.txt": b"\xff\xfe\xfd"}, '"labels.txt" of the model is not readable as text'),
        ({"labels.txt": b"a\n" * 5_000_000}, "longer than 65536 bytes"),
        ({"labels.txt": b"a\x07\nb\nc\nd"}, "printable text is allowed"),
    ],
)
def test_a_wrong_archive_is_a_sentence(tmp_path: Path, files: dict, says: str) -> None:
    with pytest.raises(InputError, match=says):
        _load(tmp_path, foreign.labelled(files))


def test_no_archive_at_all(tmp_path: Path) -> None:
    content = foreign.with_metadata(serialize(tiny.graph()), foreign.tflite_metadata())
    with pytest.raises(InputError, match="not readable as text"):
        _load(tmp_path, content)


@pytest.mark.parametrize("metadata", [b"", b"\0" * 7, b"\0" * 64, b"\xff\xff\xff\x7fM001" * 8])
def test_metadata_that_is_none(tmp_path: Path, metadata: bytes) -> None:
    content = foreign.with_metadata(serialize(tiny.graph()), metadata)
    with pytest.raises(InputError, match=r"TFLITE_METADATA is damaged|no facts on labels"):
        _load(tmp_path, content)


@pytest.mark.parametrize("seed", range(5))
def test_damage_anywhere_is_a_sentence_or_harmless(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    metadata, base = foreign.tflite_metadata(), serialize(tiny.graph())
    for _ in range(60):
        broken = bytearray(metadata)
        for _ in range(dice.choice([1, 1, 3, 9])):
            broken[dice.randrange(len(broken))] = dice.choice([0, 1, 0x7F, 0x80, 0xFF])
        model = foreign.with_metadata(base, bytes(broken[: dice.randrange(1, len(broken) + 1)]))
        archive = foreign.with_files(b"", {"labels.txt": _LABELS})
        torn = bytearray(archive)
        for _ in range(dice.choice([0, 0, 1, 4])):
            torn[dice.randrange(len(torn))] = dice.randrange(256)
        try:
            found = _load(tmp_path, model + bytes(torn)).facts
        except InputError as error:
            assert "\n" not in str(error)
        else:
            assert len(found.labels) == 4
