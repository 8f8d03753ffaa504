"""A folder of data sets made of tones, and a model trained on it for an epoch."""

import csv

import numpy as np
import pytest

from edgeasr import training
from edgeasr.audio.pcm import write
from edgeasr.models.fitting import Recipe
from edgeasr.training import Options

QUICK = Options(
    "digits",
    "cnn_tiny",
    recipe=Recipe(epochs=1, batch=16),
    takes=1,
    synthetic=0,
)


def tone(hertz, seconds, rng):
    wave = 5000 * np.sin(2 * np.pi * hertz * np.arange(int(16000 * seconds)) / 16000)
    return (wave + rng.normal(0, 20, len(wave))).astype(np.int16)


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """Return a folder of data sets: "zero", "one" and "hello" as tones, white noise, foreign
    speech."""
    folder, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(8)
    sets = {"digits": [], "noise": []}
    for split, speakers in (("train", 6), ("val", 3), ("test", 3)):
        for speaker in range(speakers):
            for word, label, hertz in (
                ("zero", "0", 300),
                ("one", "1", 1500),
                ("hello", "x", 4000),
            ):
                name = f"{split}_{speaker}_{word}.wav"
                row = [name, label, word, f"t:{split}{speaker}", split]
                sets["digits"].append((row, tone(hertz + 30 * speaker, 0.6, rng)))
        for label, seconds in (("hum", 4.0), ("_negative_speech_", 3.0)):
            row = [f"{split}_{label}.wav", label, label, "", split]
            sets["noise"].append((row, tone(120, seconds, rng)))
    for part, rows in sets.items():
        (folder / part).mkdir()
        with (folder / part / "manifest.csv").open("w", newline="") as stream:
            lines = csv.writer(stream)
            lines.writerow(["file", "label", "word", "speaker", "split"])
            for row, pcm in rows:
                lines.writerow(row)
                write(folder / part / row[0], pcm, 16000)
    return folder


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def kept(cache, monkeypatch):
    monkeypatch.setenv("EDGEASR_CACHE", str(cache))
    return cache


@pytest.fixture(scope="session")
def quick():
    """Return the options of the training."""
    return QUICK


@pytest.fixture(scope="session")
def trained(data, cache):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEASR_CACHE", str(cache))
        return training.train(data, QUICK)
