"""Synthetic voices: for training only, the same bytes every time, with sound in every clip."""

import shutil

import numpy as np
import pytest

from edgeasr.audio import catalog, engines, pcm, voices
from edgeasr.audio.engines import ENGINES, Take, Voice
from edgeasr.errors import InputError, ToolError
from tests.conftest import missing

RATE = 16000


@pytest.fixture(params=["espeak-ng", "flite", "festival"])
def engine(request) -> str:
    if shutil.which(request.param) is None:
        missing(f"the program {request.param}")
    return request.param


def test_clips_with_sound_of_many_voices(engine, tmp_path):
    clips = voices.synthesize(
        {"yes": "yes", "three": "3"}, tmp_path / "out", per_word=6, engine_names=[engine]
    )
    assert clips == catalog.load(tmp_path / "out")
    assert len(clips) == 12
    assert {(c.word, c.label) for c in clips} == {("yes", "yes"), ("three", "3")}
    assert len({c.speaker for c in clips}) == 6
    assert {c.speaker for c in clips if c.label == "3"} == {
        c.speaker for c in clips if c.label == "yes"
    }
    for clip in clips:
        assert clip.split == "train"
        assert clip.synthetic
        assert clip.speaker.startswith(f"synthetic:{engine}:")
        assert clip.licence
        heard = pcm.read(clip.path, RATE)
        assert 0.1 * RATE < len(heard) < 2 * RATE
        assert np.abs(heard).max() > 1000


def test_same_arguments_give_the_same_bytes(tmp_path):
    if shutil.which("espeak-ng") is None:
        missing("the program espeak-ng")
    contents = []
    for name in ("a", "b"):
        clips = voices.synthesize(["go"], tmp_path / name, per_word=4, engine_names=["espeak-ng"])
        contents.append([(c.path.name, c.path.read_bytes()) for c in clips])
    assert contents[0] == contents[1]
    assert len({content for _, content in contents[0]}) == 4


@pytest.fixture
def whistle(monkeypatch):
    """An engine that needs no program: a tone between two silences."""

    def say(takes, done):
        for take in takes:
            tone = np.zeros(RATE, np.int16)
            tone[4000:9000] = 9000 * np.sin(np.arange(5000) * 0.3)
            if take.word != "hush":
                pcm.write(take.file, tone, RATE)
            else:
                pcm.write(take.file, tone[:4000], RATE)
            done()

    made = engines.Engine(
        lambda: [Voice("flite", "w", size=s) for s in (0.8, 1.0)], say, "w", "none"
    )
    monkeypatch.setattr(engines, "ENGINES", {**ENGINES, "flite": made})


def test_silence_is_cut_and_size_multiplies_frequencies(whistle, tmp_path):
    clips = voices.synthesize(["yes"], tmp_path / "out", per_word=2, engine_names=["flite"])
    by_size = {c.speaker[-4:]: pcm.read(c.path, RATE) for c in clips}
    assert len(by_size["1.00"]) == pytest.approx(5000 + 2 * 480, abs=200)
    assert len(by_size["0.80"]) == pytest.approx(len(by_size["1.00"]) / 0.8, abs=2)
    for size, heard in by_size.items():
        peak = np.argmax(np.abs(np.fft.rfft(heard))) * 2 * np.pi / len(heard)
        assert peak == pytest.approx(0.3 * float(size), rel=0.02)


def test_a_take_without_sound_is_left_out(whistle, tmp_path):
    clips = voices.synthesize(["yes", "hush"], tmp_path / "out", per_word=2, engine_names=["flite"])
    assert [c.word for c in clips] == ["yes", "yes"]
    with pytest.raises(ToolError, match="flite said nothing"):
        voices.synthesize(["hush"], tmp_path / "none", engine_names=["flite"])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out"]


@pytest.mark.parametrize("word", ["", "-w", 'a"b', "a\nb", "(quit)", "../up", "é", "x" * 41])
def test_words_that_can_not_be_said(word, tmp_path):
    with pytest.raises(InputError, match=r"word .* can not be said"):
        voices.synthesize([word], tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("label", ["../up", "a/b", "", "a\nb"])
def test_labels_that_can_not_be_folders(label, tmp_path):
    with pytest.raises(InputError, match="label"):
        voices.synthesize({"yes": label}, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="not an empty folder"):
        voices.synthesize(["yes"], tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_unknown_engine_and_missing_program(tmp_path, monkeypatch):
    with pytest.raises(InputError, match='"hal" is not known; allowed: espeak-ng, festival, flite'):
        voices.synthesize(["yes"], tmp_path / "out", engine_names=["hal"])
    monkeypatch.setenv("PATH", str(tmp_path))
    engines._program.cache_clear()
    with pytest.raises(ToolError, match=r"espeak-ng: not found .* apt-get install espeak-ng"):
        voices.synthesize(["yes"], tmp_path / "out", engine_names=["espeak-ng"])
    engines._program.cache_clear()


def test_festival_is_told_each_word_once(tmp_path):
    take = Take(Voice("festival", "kal"), "yes", 1.25, 1.1, tmp_path / "a.wav")
    line = engines._festival_line(take)
    assert line.count("(") == line.count(")")
    assert "Duration_Stretch 0.800" in line
