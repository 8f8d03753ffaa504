"""Splits that no speaker crosses."""

from collections import Counter, defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeasr.audio.clip import Clip, assign_splits, check_splits, crossing_speakers
from edgeasr.errors import InputError


def clips_of(counts: dict[str, int]) -> list[Clip]:
    return [
        Clip(Path(f"/set/{who}/{n}.wav"), "yes", who) for who, c in counts.items() for n in range(c)
    ]


@given(
    st.dictionaries(st.text("abcdef", min_size=1), st.integers(1, 20), min_size=1, max_size=30),
    st.integers(0, 5),
)
def test_no_speaker_crosses_and_no_split_is_empty(counts, seed):
    dealt = assign_splits(clips_of(counts), seed)
    check_splits(dealt, "dealt")
    assert [c.path for c in dealt] == [c.path for c in clips_of(counts)]
    if len(counts) >= 3:
        assert {c.split for c in dealt} == {"train", "val", "test"}


def test_fractions_are_met_with_many_speakers():
    dealt = assign_splits(clips_of({f"s{n}": 1 + n % 7 for n in range(400)}))
    share = {split: n / len(dealt) for split, n in Counter(c.split for c in dealt).items()}
    assert share == pytest.approx({"train": 0.7, "val": 0.15, "test": 0.15}, abs=0.02)


def test_seed_decides_and_order_of_clips_does_not():
    clips = clips_of({f"s{n}": 3 for n in range(30)})
    by_speaker = {c.speaker: c.split for c in assign_splits(clips, 1)}
    backward = {c.speaker: c.split for c in assign_splits(clips[::-1], 1)}
    assert by_speaker == backward
    assert by_speaker != {c.speaker: c.split for c in assign_splits(clips, 2)}


def test_unknown_speakers_go_to_train_or_count_each():
    clips = [Clip(Path(f"/set/{n}.wav"), "yes") for n in range(40)]
    assert {c.split for c in assign_splits(clips)} == {"train"}
    each = assign_splits(clips, unknown_speakers="each")
    assert {c.split for c in each} == {"train", "val", "test"}


def test_synthetic_clips_go_to_train():
    clips = [Clip(Path(f"/set/{n}.wav"), "yes", f"v{n}", synthetic=True) for n in range(40)]
    assert {c.split for c in assign_splits(clips)} == {"train"}


def test_two_splits_can_be_asked_for():
    dealt = assign_splits(
        clips_of({"a": 2, "b": 2, "c": 2}), fractions={"train": 0.5, "test": 0.5, "val": 0}
    )
    assert {c.split for c in dealt} == {"train", "test"}
    with pytest.raises(InputError, match=r"splits \['dev'\] are not usable"):
        assign_splits(dealt, fractions={"dev": 1.0})


def test_crossing_speakers_are_named():
    splits = defaultdict(list, a=["train"], b=["train", "test"], c=["val", "val"])
    clips = [Clip(Path("/x.wav"), "yes", who, s) for who, list_ in splits.items() for s in list_]
    clips.append(Clip(Path("/y.wav"), "yes", "", "test"))
    assert crossing_speakers(clips) == {"b": ["test", "train"]}
    with pytest.raises(InputError, match='speaker "b" stands in test and train'):
        check_splits(clips, "list.csv")


def test_id_is_the_same_on_every_computer():
    here = Clip(Path("/home/me/set/yes/1.wav"), "yes", source="set", segment_s=(2.0, 3.0))
    there = Clip(Path("/data/set/yes/1.wav"), "yes", source="set", segment_s=(2.0, 3.0))
    assert here.id == there.id == "set:yes/1.wav@2"
