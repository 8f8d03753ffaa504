"""False accepts per hour and the choice of the decision rule, on streams made by hand."""

import math

import numpy as np
import pytest

from edgeasr.decision import Decision
from edgeasr.evaluate import streams
from edgeasr.evaluate.streams import ScoredStream

LABELS = ("_silence_", "yes", "no")
RULE = Decision(window=1, threshold=0.5, refractory_ms=500, hop_frames=5, ignored=("_silence_",))


def stream(peaks, spoken=None, length=40, hop=1600):
    """Return a stream of silence with peaks {inference: (label, probability)}."""
    scores = np.full((length, 3), -128, np.int8)
    scores[:, 0] = 127
    for at, (label, probability) in peaks.items():
        scores[at] = -128
        scores[at, label] = round(probability * 255) - 128
    samples = 16000 + hop * np.arange(length)
    return ScoredStream(scores, samples, (16000 + hop * length) / 16000, spoken)


def test_an_hour_with_two_events_has_two_false_accepts():
    heard = stream({3: (1, 0.9), 30: (2, 0.8)})
    hour = [heard, ScoredStream(heard.scores[:0], heard.samples[:0], 3600 - heard.seconds)]
    assert streams.false_accepts_per_hour(hour, RULE, LABELS, 16000) == pytest.approx(2)


def test_the_refractory_time_joins_peaks_of_one_word():
    close = stream({3: (1, 0.9), 5: (1, 0.9)})
    assert len(streams.events(close, RULE, LABELS, 16000)) == 1


def test_ignored_labels_are_no_events():
    assert streams.events(stream({}), RULE, LABELS, 16000) == []


def test_a_word_counts_as_found_when_the_first_event_names_it():
    right, wrong, missed = (stream(p, 1) for p in ({5: (1, 0.9)}, {5: (2, 0.9)}, {}))
    assert streams.found([right, wrong, missed], RULE, LABELS, 16000) == pytest.approx(1 / 3)


def test_choose_raises_the_threshold_until_foreign_speech_stays_quiet():
    words = [stream({5: (1, 0.95)}, 1), stream({5: (2, 0.9)}, 2)]
    foreign = [stream({9: (1, 0.7)})]
    point = streams.choose(words, foreign, RULE, LABELS, 16000, windows=(1,), limit_per_hour=0)
    assert 0.7 < point.decision.threshold <= 0.9
    assert (point.found, point.false_accepts_per_hour) == (1.0, 0.0)


def test_choose_takes_the_fewest_false_accepts_when_the_limit_cannot_be_kept():
    foreign = [stream({9: (1, 1.0)}), stream({9: (1, 0.6)})]
    words = [stream({5: (1, 1.0)}, 1)]
    point = streams.choose(words, foreign, RULE, LABELS, 16000, windows=(1,), limit_per_hour=0)
    one_per_pair = 3600 / sum(s.seconds for s in foreign)
    assert point.false_accepts_per_hour == pytest.approx(one_per_pair)


def test_without_sound_the_rate_is_unknown():
    assert math.isnan(streams.false_accepts_per_hour([], RULE, LABELS, 16000))
