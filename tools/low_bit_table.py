"""Low-bit weights on MLPerf Tiny's `kws_ref_model.tflite`, without training.

Prints how many of the 1000 inputs of its performance set are recognised, by scheme and rounding.
MODEL: kws_ref_model.tflite of github.com/mlcommons/tiny. INPUTS: the folder datasets/kws01 of
github.com/eembc/energyrunner (1000 .bin files and y_labels.csv). DATA: a folder of recordings with
keywords/manifest.csv and noise/manifest.csv. Calibration takes up to 30 clips a class of Speech
Commands' official training and validation splits, and 30 seconds of its background noise; the 1000
inputs are of the official test split, so none is among them.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
import soundfile

from edgeasr import graph
from edgeasr.codegen import packing
from edgeasr.quantize import low_bit, rewriting, schemes

SCHEMES = (
    "uniform8", "uniform4/channel/max", "uniform4", "uniform3", "uniform2", "pot4", "pot3",
    "ternary", "codebook32", "codebook16", "codebook16/channel", "codebook16/tensor/scales:tensor",
    "codebook8", "codebook8/channel", "codebook4",
)  # fmt: skip
CLIPS_PER_CLASS, SEED = 30, 0
SAMPLES, WINDOW, HOP, FFT = 16_000, 480, 320, 512
MELS, COEFFICIENTS, LOWER_HZ, UPPER_HZ = 40, 10, 20.0, 4000.0


def mfcc(pcm: np.ndarray) -> np.ndarray:
    """Return the model's real input [49, 10] of a clip: the front end of MLPerf Tiny.

    Source: mlcommons/tiny, training/keyword_spotting/get_dataset.py (feature_type mfcc), which is
    TensorFlow's tf.signal. Equal to the published inputs but for 1 step of int8 at some places.
    """
    wave = pcm / max(float(pcm.max()), 1.0)
    wave = np.pad(wave, (0, max(0, SAMPLES - len(wave))))[:SAMPLES]
    frames = np.lib.stride_tricks.sliding_window_view(wave, WINDOW)[::HOP]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    log_mel = np.log(np.abs(np.fft.rfft(frames * window, FFT)) @ mel_weights() + 1e-6)
    angle = np.pi / MELS * (np.arange(MELS)[:, None] + 0.5) * np.arange(COEFFICIENTS)
    return log_mel @ (np.cos(angle) * np.sqrt(2 / MELS))


def mel_weights() -> np.ndarray:
    """Return tf.signal.linear_to_mel_weight_matrix, [257, 40]."""
    hz = np.arange(FFT // 2 + 1) * 16_000 / FFT
    edges = np.linspace(_mel(LOWER_HZ), _mel(UPPER_HZ), MELS + 2)
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    place = _mel(hz)[:, None]
    rising, falling = (place - low) / (middle - low), (high - place) / (high - middle)
    weights = np.minimum(rising, falling).clip(0)
    weights[0] = 0
    return weights


def _mel(hz: float | np.ndarray) -> np.ndarray:
    return 1127.0 * np.log(1 + np.asarray(hz) / 700.0)


def performance_set(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    with (folder / "y_labels.csv").open() as file:
        rows = [row for row in csv.reader(file) if row]
    windows = np.stack([np.fromfile(folder / row[0], np.int8) for row in rows])
    return windows, np.array([int(row[2]) for row in rows])


def calibration_clips(data: Path, of_class: int = CLIPS_PER_CLASS) -> list[np.ndarray]:
    """Return PCM of up to `of_class` clips a class, and as many of noise.

    None is of a test split, neither of the official one nor of DATA's own.
    """
    random = np.random.default_rng(SEED)
    rows = [
        row
        for row in _manifest(data / "keywords")
        if row["file"].startswith("gsc/")
        and row["split"] != "test"
        and row["official_split"] in ("training", "validation")
    ]
    clips = []
    for label in sorted({row["label"] for row in rows}):
        own = [row for row in rows if row["label"] == label]
        for place in random.permutation(len(own))[:of_class]:
            clips.append(soundfile.read(data / "keywords" / own[place]["file"], dtype="int16")[0])
    noise = [
        soundfile.read(data / "noise" / row["file"], dtype="int16")[0]
        for row in _manifest(data / "noise")
        if row["file"].startswith("gsc_background") and row["split"] != "test"
    ]
    for place in range(of_class):
        pcm = noise[place % len(noise)]
        start = random.integers(0, len(pcm) - SAMPLES + 1)
        clips.append(pcm[start : start + SAMPLES])
    return clips


def _manifest(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open() as file:
        return list(csv.DictReader(file))


def packed_bytes(content: bytes) -> int:
    """Return the bytes of all weights in the smallest packing, with tables."""
    model = graph.parse(content)
    return sum(
        packing.pack(model.tensor(layer.op.inputs[1]).data, layer.axis).bytes
        for layer in rewriting.read(content)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    for name in ("model", "inputs", "data"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--scheme", action="append", help=f"default: {' '.join(SCHEMES)}")
    parser.add_argument("--clips", type=int, default=CLIPS_PER_CLASS, help="calibration, a class")
    given = parser.parse_args()
    content = given.model.read_bytes()
    model = graph.parse(content)
    entry = model.tensor(model.inputs[0]).quantization
    features = np.stack([mfcc(clip) for clip in calibration_clips(given.data, given.clips)])
    steps = np.rint(features / entry.scale) + entry.zero_point
    windows, labels = performance_set(given.inputs)
    chosen = [schemes.parse(text) for text in given.scheme or SCHEMES]
    calibration = steps.clip(-128, 127).astype(np.int8)
    print(f"{len(calibration)} calibration clips, {len(windows)} test inputs")
    for scheme in [None, *chosen]:
        for rounding in low_bit.ROUNDINGS if scheme else ("",):
            made = content
            if scheme:
                made = low_bit.quantize_weights(content, scheme, calibration, rounding=rounding)
            found = low_bit.correct(made, windows, labels)
            name = str(scheme or "int8 as shipped")
            print(f"{name:40} {rounding:12} {found:5} {packed_bytes(made):7,} B", flush=True)


if __name__ == "__main__":
    main()
