"""Clips to arrays: takes, cache, and refusals, on tones written for the purpose."""

import numpy as np
import pytest

from edgeasr.audio import Clip
from edgeasr.audio.pcm import write
from edgeasr.errors import InputError
from edgeasr.features import FrontEnd, compute
from edgeasr.models.examples import Takes, Window, examples, join

WINDOW = Window(FrontEnd(hop_ms=20, noise_reduction=False, pcan=False), 49)
NAMES = ("low", "high")


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tones")
    made = []
    for label, hertz in (("low", 300), ("high", 2500)):
        for take in range(3):
            wave = 6000 * np.sin(2 * np.pi * (hertz + 20 * take) * np.arange(12000) / 16000)
            file = folder / f"{label}{take}.wav"
            write(file, wave.astype(np.int16), 16000)
            made.append(Clip(file, label, speaker=f"t:{take}", source="t"))
    return made


def test_take_zero_is_the_clip_as_recorded(clips):
    made = examples(clips, NAMES, WINDOW, Takes(3))
    from edgeasr.audio import read_clip

    heard = compute(WINDOW.front_end, read_clip(clips[4], samples=WINDOW.samples))
    assert made.features.shape == (6, 3, 49, 40)
    assert np.array_equal(made.features[4, 0], heard)
    assert not np.array_equal(made.features[4, 1], heard)
    assert made.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert made.counts().tolist() == [3, 3]


def test_the_same_seed_gives_the_same_takes(clips):
    first, again, other = (
        examples(clips, NAMES, WINDOW, Takes(2, seed=seed)).features for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_cache_answers_the_second_time_and_no_other_question(clips, tmp_path):
    first = examples(clips, NAMES, WINDOW, Takes(2), cache=tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    again = examples(clips, NAMES, WINDOW, Takes(2), cache=tmp_path)
    assert np.array_equal(first.features, again.features)
    examples(clips, NAMES, WINDOW, Takes(2, seed=7), cache=tmp_path)
    assert len(list(tmp_path.glob("*.npy"))) == 2
    assert not list(tmp_path.glob("*.part"))


def test_without_the_original_all_takes_are_changed(clips):
    plain = examples(clips, NAMES, WINDOW, Takes(2))
    changed = examples(clips, NAMES, WINDOW, Takes(1, original=False))
    assert np.array_equal(changed.features[:, 0], plain.features[:, 1])


def test_joining_repeats_the_takes_of_the_smaller_part(clips):
    both = join(examples(clips[:2], NAMES, WINDOW, Takes(3)), examples(clips[2:], NAMES, WINDOW))
    assert both.features.shape == (6, 3, 49, 40)
    assert np.array_equal(both.features[3, 0], both.features[3, 2])
    assert len(both.words) == len(both.labels) == 6


def test_no_clips_are_refused():
    with pytest.raises(InputError, match="no clips"):
        examples([], NAMES, WINDOW)


def test_a_label_of_another_model_is_refused(clips):
    with pytest.raises(InputError, match=r'label "high" is not among the model\'s: low'):
        examples(clips, ("low",), WINDOW)
