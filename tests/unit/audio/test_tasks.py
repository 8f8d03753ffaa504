"""Selection of the clips of a task."""

from pathlib import Path

import pytest

from edgeasr.audio import catalog, clip, tasks
from edgeasr.audio.clip import Clip
from edgeasr.errors import InputError
from edgeasr.speech import SILENCE, UNKNOWN


def spoken(word: str, speaker: str, split: str = "train", *, label: str = "", source: str = "s"):
    path = Path(f"/set/{label or word}/{word}_{speaker}.wav")
    return Clip(path, label or word, speaker, split, source, word=word)


def test_what_is_spoken_decides_the_class():
    clips = [
        spoken("six", "a", label=UNKNOWN),
        spoken("one", "b"),
        spoken("cat", "c", label=UNKNOWN),
    ]
    chosen = tasks.task("digits", clips)
    assert {c.spoken: c.label for c in chosen.clips} == {"six": "6", "one": "1", "cat": UNKNOWN}
    assert chosen.labels == (SILENCE, UNKNOWN, *"0123456789")


def test_a_file_of_two_catalogs_counts_once(tmp_path):
    there = Clip(tmp_path / "a" / ".." / "x.wav", "6", "a", source="s", word="six")
    again = Clip(tmp_path / "x.wav", UNKNOWN, "a", source="s", word="six")
    (tmp_path / "a").mkdir()
    assert len(tasks.task("digits", [there, again]).clips) == 1


def test_clips_without_a_speaker_and_foreign_sources_stay_out():
    clips = [spoken("yes", "a"), spoken("no", ""), spoken("open", "b", source="other")]
    assert [c.spoken for c in tasks.task("keywords", clips).clips] == ["yes"]
    wide = tasks.task(
        "keywords", clips, extra_words=True, unknown_ratio={"train": 10, "val": 1, "test": 1}
    )
    assert [c.spoken for c in wide.clips] == ["yes", "open"]


def test_unknown_takes_words_in_turn():
    clips = [spoken("yes", f"y{n}") for n in range(10)] + [
        spoken("cat", f"c{n}") for n in range(50)
    ]
    clips += [spoken("dog", f"d{n}") for n in range(2)] + [spoken("owl", f"o{n}") for n in range(2)]
    chosen = tasks.task("keywords", clips, unknown_ratio={"train": 6, "val": 0, "test": 0})
    words = [c.spoken for c in chosen.clips if c.label == UNKNOWN]
    assert len(words) == 6
    assert sorted(words) == ["cat", "cat", "dog", "dog", "owl", "owl"]


def test_silence_is_cut_inside_its_split():
    noise = [
        Clip(Path("/n/a.wav"), "rain", split="train", source="n", duration_s=5.001),
        Clip(Path("/n/b.wav"), "rain", split="test", source="n", segment_s=(10.0, 12.5)),
        Clip(Path("/n/c.wav"), "_negative_speech_", split="train", source="n", duration_s=9.0),
    ]
    words = [spoken("yes", f"{s}{n}", s) for s in ("train", "test") for n in range(40)]
    quiet = [c for c in tasks.task("keywords", words, noise).clips if c.label == SILENCE]
    assert {c.path.name for c in quiet} == {"a.wav", "b.wav"}
    assert sorted(c.segment_s for c in quiet if c.split == "test") == [(10.0, 11.0), (11.0, 12.0)]
    assert all(c.split == "train" for c in quiet if c.path.name == "a.wav")


def test_a_speaker_in_two_splits_is_refused():
    with pytest.raises(InputError, match='"a" stands in test and train'):
        tasks.task("keywords", [spoken("yes", "a"), spoken("no", "a", "test")])


def test_unknown_task_names_the_known():
    with pytest.raises(InputError, match='task "colours" is not known; allowed: digits, keywords'):
        tasks.task("colours", [])


@pytest.mark.parametrize("name", ["digits", "keywords"])
def test_shared_data(shared_data, name):
    sets = {part: catalog.load(shared_data / part) for part in ("digits", "keywords", "noise")}
    chosen = tasks.task(name, sets["digits"] + sets["keywords"], sets["noise"])
    clip.check_splits(chosen.clips, "task")
    counts = chosen.counts()
    assert all(counts[label][split] >= 30 for label in chosen.labels for split in clip.SPLITS)
    words = tasks.words(name)
    for c in chosen.clips:
        expected = {words[c.spoken]} if c.spoken in words else {SILENCE, UNKNOWN}
        assert c.label in expected, c
    assert {c.source for c in chosen.clips if c.label == UNKNOWN} == {"gsc"}
    splits: dict[Path, set[str]] = {}
    for c in chosen.clips:
        if c.segment_s is None:
            splits.setdefault(c.path.resolve(), set()).add(c.split)
    assert all(len(found) == 1 for found in splits.values())
    again = tasks.task(name, sets["keywords"] + sets["digits"], sets["noise"])
    assert {c.id for c in again.clips} == {c.id for c in chosen.clips}
