"""Reading: the samples are the file's, and fitting keeps the word."""

import numpy as np
import pytest
import soundfile

from edgeasr.audio import pcm
from edgeasr.audio.clip import Clip

RATE = 16000
RAMP = np.arange(-32768, 32768, 9, dtype=np.int32).astype(np.int16)


FORMATS = [
    ("wav", "PCM_16"), ("flac", "PCM_16"), ("aiff", "PCM_16"), ("wav", "PCM_24"), ("wav", "FLOAT"),
    ("wav", "DOUBLE"),
]  # fmt: skip


@pytest.mark.parametrize(("suffix", "subtype"), FORMATS)
def test_samples_come_back_exactly(tmp_path, suffix, subtype):
    path = tmp_path / f"clip.{suffix}"
    sound = RAMP / 32768 if subtype in ("FLOAT", "DOUBLE") else RAMP
    soundfile.write(path, sound, RATE, subtype=subtype)
    heard = pcm.read(path, RATE)
    assert heard.dtype == np.int16
    assert np.array_equal(heard, RAMP)


def test_float_beyond_full_scale_is_clamped(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.array([1.5, -1.5, 0.25]), RATE, subtype="FLOAT")
    assert pcm.read(tmp_path / "a.wav", RATE).tolist() == [32767, -32768, 8192]


def test_stereo_is_mixed_only_when_asked(tmp_path):
    sound = np.stack([np.full(100, 1000), np.full(100, -500)], 1).astype(np.int16)
    soundfile.write(tmp_path / "a.wav", sound, RATE)
    assert set(pcm.read(tmp_path / "a.wav", RATE, resample=True)) == {250}


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_another_rate_is_converted_when_asked(tmp_path, rate):
    tone = 10000 * np.sin(np.arange(rate) * 2 * np.pi * 440 / rate)
    pcm.write(tmp_path / "a.wav", pcm.to_int16(tone), rate)
    heard = pcm.read(tmp_path / "a.wav", RATE, resample=True)
    assert abs(len(heard) - RATE) <= 1
    wanted = 10000 * np.sin(np.arange(len(heard)) * 2 * np.pi * 440 / RATE)
    assert np.abs(heard - wanted)[800:-800].max() < 30


def test_segment_of_a_file(tmp_path):
    pcm.write(tmp_path / "a.wav", np.arange(1000, dtype=np.int16), 1000)
    clip = Clip(tmp_path / "a.wav", "noise", segment_s=(0.25, 0.5))
    assert pcm.read_clip(clip, 1000).tolist() == list(range(250, 500))
    assert len(pcm.read_clip(clip, 1000, samples=300)) == 300


def test_fit_centres_what_is_short():
    assert pcm.fit(np.array([1, 2, 3], np.int16), 6).tolist() == [0, 1, 2, 3, 0, 0]
    assert pcm.fit(np.array([1, 2, 3], np.int16), 3).tolist() == [1, 2, 3]


def test_fit_takes_the_loudest_window():
    sound = np.zeros(1000, np.int16)
    sound[600:700] = 32767
    sound[100:150] = 20000
    assert np.array_equal(pcm.fit(sound, 100), sound[600:700])
    assert pcm.fit(np.array([5, -5, 5, -5], np.int16), 2).tolist() == [5, -5]
    assert len(pcm.fit(np.zeros(1000, np.int16), 100)) == 100


def test_fit_does_not_share_memory():
    sound = np.ones(10, np.int16)
    pcm.fit(sound, 5)[:] = 0
    assert sound.all()


def test_duration(tmp_path):
    pcm.write(tmp_path / "a.flac", np.zeros(4000, np.int16), 8000)
    assert pcm.duration_s(tmp_path / "a.flac") == 0.5


def test_a_wav_of_open_size_is_read(tmp_path):
    """Programs that write to a pipe can not go back to fill in the size."""
    path = tmp_path / "a.wav"
    pcm.write(path, np.ones(100, np.int16), RATE)
    content = bytearray(path.read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(content)
    assert pcm.read(path, RATE).sum() == 100


def test_all_shared_recordings_are_read(shared_data):
    files = sorted(shared_data.glob("*/**/*.flac"))[::40]
    assert len(files) > 100
    for file in files:
        heard = pcm.read(file, RATE)
        assert np.array_equal(heard, soundfile.read(file, dtype="int16")[0])
