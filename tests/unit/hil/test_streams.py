"""Recordings as streams: what is counted, and what both sides must share."""

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest

from edgeasr import hil, speech
from edgeasr.audio import Clip
from edgeasr.client import Event, Scores, StreamSummary
from edgeasr.decision import Decision
from edgeasr.errors import InputError
from edgeasr.hil import Reference
from edgeasr.hil.streams import StreamOutcome, StreamReport, host_stream, stream_clip
from tests import tiny
from tests.unit.speech import foreign
from tests.unit.speech.test_micro_wake_word import V2
from tests.vectors.kernels.tflite_builder import serialize

JO, OTHER = Event(0, 250, 16_320), Event(0, 240, 9_999)


def _outcome(label: str, device: tuple, host: tuple | None = None, **more: object) -> StreamOutcome:
    values = {
        "inferences": 50, "unequal": 0, "features_equal": True, "round_trip_s": 0.5,
        "instructions": 1000,
    } | more  # fmt: skip
    return StreamOutcome(
        clip=Clip(Path("clips") / f"{label}.flac", label, split="test"),
        spoken=0 if label == "jo" else None,
        device=device,
        host=device if host is None else host,
        **values,
    )


def _report(*outcomes: StreamOutcome) -> StreamReport:
    return StreamReport("host", "ear", "jo", "00", "TFLite-Micro", ("jo",), outcomes)


def test_counts_are_of_recordings() -> None:
    report = _report(
        _outcome("jo", (JO,)),
        _outcome("jo", (JO, OTHER)),
        _outcome("jo", ()),
        _outcome("yes", ()),
        _outcome("yes", (OTHER,)),
    )
    assert (report.spoken(), report.detected(), report.missed(), report.false()) == (3, 2, 1, 1)
    assert report.accuracy() == 0.6
    assert report.agreement == 1.0
    assert report.instructions() == 1000
    told = json.loads(json.dumps(report.to_dict()))
    assert (told["detected_device"], told["false_host"], told["inferences"]) == (2, 1, 250)


@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        (_outcome("jo", (JO,), (OTHER,)), "events"),
        (_outcome("jo", (JO,), ()), "events"),
        (_outcome("jo", (JO,), unequal=2), "2 of 50 inferences"),
        (_outcome("jo", (JO,), features_equal=False), "features"),
        (_outcome("jo", (), (JO,), unequal=1), "1 of 50 inferences and events"),
    ],
)
def test_a_disagreement_is_named_and_fails(outcome: StreamOutcome, says: str) -> None:
    report = _report(outcome, _outcome("jo", (JO,)))
    assert outcome.disagreement == says
    assert report.agreement == 0.5
    suite = ElementTree.fromstring(report.junit())
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert suite.find("testcase/failure").get("message").startswith(says)


def test_recordings_without_a_word_of_the_model_stay() -> None:
    clips = [Clip(Path(f"{n}.wav"), "yes", split="test") for n in range(10)]
    train = Clip(Path("t.wav"), "jo", split="train")
    assert hil.select_streams([*clips, train], split="test") == clips
    assert len(hil.select_streams([*clips, train], split="test", limit=4)) == 4
    with pytest.raises(InputError, match='none in split "val"; try --split all'):
        hil.select_streams(clips, split="val")


class _Device:
    """A device that hears what it is told to."""

    def __init__(self, items: list, crc: int):
        self._items = items
        self.stream_summary = StreamSummary(0, 0, crc, len(items), 0, 70 * len(items))

    def stream(self, chunks: list, *, scores: bool) -> list:
        assert scores
        return self._items


@pytest.fixture
def reference(tmp_path: Path) -> hil.Reference:
    (tmp_path / "jo.tflite").write_bytes(serialize(foreign.wake_word_graph()))
    (tmp_path / "jo.json").write_text(json.dumps(V2))
    model = speech.load(tmp_path / "jo.tflite")
    rule = dataclasses.replace(model.facts.decision, threshold=0.0)
    facts = dataclasses.replace(model.facts, decision=rule)
    return hil.Reference(dataclasses.replace(model, facts=facts), "host")


def test_each_inference_and_event_is_compared(reference: hil.Reference) -> None:
    pcm = np.random.default_rng(4).normal(0, 3000, 40_000).astype(np.int16)
    scores, events, crc = host_stream(reference, pcm)
    assert events
    assert len(scores) == (1 + (40_000 - 480) // 160) // 3
    assert [score.sample for score in scores[:3]] == [800, 1280, 1760]
    clip = Clip(Path("jo.wav"), "hey_jo")

    same = stream_clip(_Device([*scores, *events], crc), reference, clip, pcm)
    assert (same.agrees, same.inferences, same.spoken) == (True, len(scores), 0)

    changed = Scores(scores[7].values ^ 1, scores[7].sample)
    items = [*scores[:7], changed, *scores[8:-1], *events]
    assert stream_clip(_Device(items, crc), reference, clip, pcm).unequal == 2
    assert not stream_clip(_Device([*scores, *events], crc ^ 1), reference, clip, pcm).agrees
    extra = [*scores, *events, JO]
    assert stream_clip(_Device(extra, crc), reference, clip, pcm).disagreement == "events"


def test_a_label_that_is_never_an_event_is_no_word(tmp_path: Path) -> None:
    rule = Decision(ignored=("_silence_", "_unknown_"))
    path = tiny.write_model(tmp_path / "tiny.tflite", decision=rule)
    reference = Reference(speech.load(path), "host")
    summary = SimpleNamespace(inference_ticks=0, inferences=0, features_crc=0)
    deaf = SimpleNamespace(stream=lambda blocks, scores: [], stream_summary=summary)
    heard = [
        stream_clip(deaf, reference, Clip(Path(label), label, split="test"), np.zeros(99, np.int16))
        for label in ("_unknown_", "yes", "hum")
    ]
    assert [outcome.spoken for outcome in heard] == [None, tiny.LABELS.index("yes"), None]
    report = StreamReport("host", "ear", "t", "00", "", tiny.LABELS, tuple(heard), rule.ignored)
    assert report.words == ("yes", "no")
    assert (report.spoken(), report.missed(), report.false()) == (1, 1, 0)
