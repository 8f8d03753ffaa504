"""The decision rule: the C equals a plain model of it, and refuses in sentences."""

import json

import numpy as np
import pytest

from edgeasr.decision import Decider, Decision, Event
from edgeasr.errors import InputError

_LABELS = ("_silence_", "_unknown_", "yes", "no")


def _scores(*steps: int) -> np.ndarray:
    return np.array([s - 128 for s in steps], np.int8)


def _push_all(decider: Decider, rows: list[np.ndarray], hop: int = 800) -> list[Event]:
    events = (decider.push(row, i * hop) for i, row in enumerate(rows))
    return [event for event in events if event]


def test_mean_reaches_threshold_once() -> None:
    decision = Decision(window=2, threshold=0.5, refractory_ms=1000, ignored=("_silence_",))
    decider = Decider(decision, _LABELS, 16_000)
    rows = [_scores(0, 0, 255, 0)] * 4
    assert _push_all(decider, rows) == [Event("yes", 255, 800)]


def test_first_inferences_count_missing_ones_as_zero() -> None:
    decider = Decider(Decision(window=3, threshold=0.3, refractory_ms=0), _LABELS, 16_000)
    events = _push_all(decider, [_scores(0, 0, 255, 0)] * 2)
    assert events == [Event("yes", 85, 0), Event("yes", 170, 800)]


def test_refractory_time_ends() -> None:
    decider = Decider(Decision(window=1, refractory_ms=100), _LABELS, 16_000)
    events = _push_all(decider, [_scores(0, 0, 0, 250)] * 6)
    assert [event.sample for event in events] == [0, 1600, 3200]


def test_ignored_label_blocks_the_next_best() -> None:
    decision = Decision(window=1, threshold=0.1, ignored=("_silence_", "_unknown_"))
    decider = Decider(decision, _LABELS, 16_000)
    assert decider.push(_scores(90, 200, 150, 0), 0) is None
    assert decider.push(_scores(90, 150, 200, 0), 1) == Event("yes", 200, 1)


def test_int16_scores_are_rounded_to_the_same_steps() -> None:
    decider = Decider(Decision(window=1, threshold=0.0, refractory_ms=0), _LABELS, 16_000)
    for probability, step in ((0, 0), (63, 0), (64, 1), (16_384, 128), (32_767, 255)):
        scores = np.array([-32_768, -1, probability, -70], np.int16)
        event = decider.push(scores, 0)
        assert event is not None and event.score == step
        assert event.label == ("yes" if step else "_silence_")


def test_first_of_equals_wins_and_reset_forgets() -> None:
    decider = Decider(Decision(window=1, threshold=0.2), _LABELS, 16_000)
    assert decider.push(_scores(0, 0, 99, 99), 5) == Event("yes", 99, 5)
    decider.reset()
    assert decider.push(_scores(0, 0, 0, 99), 6) == Event("no", 99, 6)


@pytest.mark.parametrize("seed", range(20))
def test_equals_plain_model(seed: int) -> None:
    random = np.random.default_rng(seed)
    decision = Decision(
        window=int(random.integers(1, 9)),
        threshold=float(random.uniform(0.2, 0.6)),
        refractory_ms=int(random.integers(0, 500)),
        ignored=("_silence_",),
    )
    rows = [random.integers(-128, 128, 4).astype(np.int8) for _ in range(300)]
    rows = [np.minimum(row.astype(int) + 60 * (np.arange(4) == i // 30 % 4), 127).astype(np.int8)
            for i, row in enumerate(rows)]  # fmt: skip
    decider = Decider(decision, _LABELS, 16_000)
    assert _push_all(decider, rows) == _plain(decision, rows)


def _plain(decision: Decision, rows: list[np.ndarray], hop: int = 800) -> list[Event]:
    events: list[Event] = []
    for i in range(len(rows)):
        recent = rows[max(0, i + 1 - decision.window) : i + 1]
        sums = sum(row.astype(int) + 128 for row in recent)
        best = int(np.argmax(sums))
        quiet = events and (i * hop - events[-1].sample) < decision.refractory_ms * 16
        mean = sums[best] / decision.window
        if not quiet and best != 0 and mean >= decision.threshold_steps:
            events.append(Event(_LABELS[best], int(mean), i * hop))
    return events


def _esphome(probabilities: list[int], cutoff: int, window: int, stride: int) -> list[int]:
    """Return the inferences at which ESPHome's streaming_model.cpp and micro_wake_word.cpp detect.

    It counts steps of features; a detection clears the probabilities and the count.
    """
    recent, ignore, found = [0] * window, -100, []
    for place, probability in enumerate(probabilities):
        recent = [*recent[1:], probability]
        ignore = min(ignore + stride, 0)
        if ignore == 0 and sum(recent) > cutoff * window:
            found.append(place)
            recent, ignore = [0] * window, -100
    return found


@pytest.mark.parametrize("seed", range(12))
def test_micro_wake_word_is_esphomes_rule(seed: int) -> None:
    random = np.random.default_rng(seed)
    stride, window = int(random.integers(1, 4)), int(random.integers(1, 11))
    cutoff = float(random.choice([0.5, 0.66, 0.9, 0.97]))
    rule = Decision(
        rule="micro_wake_word", window=window, threshold=cutoff, hop_frames=stride,
        refractory_ms=1000, warmup_ms=1020,
    )  # fmt: skip
    level = np.repeat(random.choice([0, 120, 200, 235, 250, 255], 60), 20)
    noise = random.integers(-6, 7, level.size)
    probabilities = np.clip(level + noise, 0, 255).astype(np.uint8)
    decider = Decider(rule, ("alexa",), 16_000)
    found = []
    for place, probability in enumerate(probabilities):
        sample = 480 + (stride * (place + 1) - 1) * 160
        if decider.push(np.array([probability]), sample):
            found.append(place)
    wanted = _esphome(probabilities.tolist(), int(cutoff * 255), window, stride)
    assert len(wanted) > 1
    assert found == wanted


def test_warmup_ends_for_good_though_the_count_of_samples_wraps() -> None:
    rule = Decision(window=1, threshold=0.5, refractory_ms=0, warmup_ms=100)
    decider = Decider(rule, _LABELS, 16_000)
    loud = _scores(0, 0, 200, 0)
    assert decider.push(loud, 1599) is None
    assert decider.push(loud, 1600) == Event("yes", 200, 1600)
    assert decider.push(loud, (1 << 32) + 5) == Event("yes", 200, 5)
    decider.reset()
    assert decider.push(loud, 1599) is None


def test_peak_is_the_highest_mean_of_a_label_that_counts() -> None:
    decider = Decider(Decision(window=2, threshold=1.0, ignored=("_silence_",)), _LABELS, 16_000)
    assert decider.peak is None
    for sample, row in enumerate([(255, 10, 60, 0), (255, 0, 61, 0), (255, 90, 0, 0)]):
        assert decider.push(_scores(*row), sample) is None
    assert decider.peak == Event("yes", 60, 1)
    decider.reset()
    assert decider.peak is None


def test_uint8_scores_are_taken_as_they_are() -> None:
    decider = Decider(Decision(window=1, threshold=0.0, refractory_ms=0), _LABELS, 16_000)
    for step in (0, 1, 128, 255):
        assert decider.push(np.array([0, 0, step, 0], np.uint8), 0).score == step


def test_float_scores_are_rounded_and_clamped() -> None:
    decider = Decider(Decision(window=1, threshold=0.0, refractory_ms=0), _LABELS, 16_000)
    for probability, step in (
        (0.0, 0), (1 / 512, 1), (0.0019, 0), (0.5, 128), (0.998, 255), (1.0, 255), (7e30, 255),
        (-3.0, 0), (np.nan, 0), (np.inf, 255), (-np.inf, 0),
    ):  # fmt: skip
        scores = np.array([-1, np.nan, probability, -np.inf], np.float32)
        assert decider.push(scores, 0).score == step


def test_dictionary_survives_json() -> None:
    decision = Decision(window=4, threshold=0.25, ignored=["no"])
    assert Decision.from_dict(json.loads(json.dumps(decision.to_dict()))) == decision
    assert decision.ignored == ("no",)
    assert "rule" not in decision.to_dict()
    other = Decision(rule="micro_wake_word", warmup_ms=1020)
    assert Decision.from_dict(json.loads(json.dumps(other.to_dict()))) == other


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"windw": 3}, 'decision: "windw" is not a parameter; allowed: hop_frames, ignored'),
        ({"window": 0}, "decision: window is 0; a whole number from 1 to 255 is allowed"),
        ({"window": 2.0}, "decision: window is 2.0; a whole number"),
        ({"threshold": 1.2}, "decision: threshold is 1.2; 0 to 1 is allowed"),
        ({"threshold": float("nan")}, "decision: threshold is nan; 0 to 1 is allowed"),
        ({"refractory_ms": -1}, "decision: refractory_ms is -1; a whole number from 0 to 60000"),
        ({"rule": "max"}, "decision: rule is 'max'; allowed: mean, micro_wake_word"),
        ({"warmup_ms": -1}, "decision: warmup_ms is -1; a whole number from 0 to 60000"),
        ({"hop_frames": 0}, "decision: hop_frames is 0; a whole number from 1"),
        ({"ignored": "yes"}, "decision: ignored is 'yes'; a list of labels is needed"),
        ([], "decision: [] is not a table of parameters"),
    ],
)
def test_refusals(values: object, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        Decision.from_dict(values)
    assert sentence in str(caught.value)


def test_ignored_label_must_be_one_of_the_models() -> None:
    with pytest.raises(InputError, match='ignored label "maybe" is not one of the model\'s'):
        Decider(Decision(ignored=("maybe",)), _LABELS, 16_000)


def test_scores_of_another_model_are_refused() -> None:
    decider = Decider(Decision(), _LABELS, 16_000)
    with pytest.raises(InputError, match=r"are int8 \[3\]; int8, uint8, int16, float32 \[4\] is"):
        decider.push(np.zeros(3, np.int8), 0)
