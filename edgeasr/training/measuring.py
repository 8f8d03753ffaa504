"""What a trained model does: the decision rule chosen on val, and the contents of its card."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from edgeasr import __version__, speech
from edgeasr.audio import Clip, read_clip
from edgeasr.decision import Decision
from edgeasr.evaluate import confusion, streams
from edgeasr.evaluate.streams import OperatingPoint, ScoredStream
from edgeasr.models import architectures, fitting, hearing
from edgeasr.models.examples import Examples
from edgeasr.models.fitting import Fitted
from edgeasr.models.material import Material
from edgeasr.quantize import FloatModel, IntegerModel
from edgeasr.report import card
from edgeasr.training.options import NOISE_SNR_DB, Arrays, Observer, Options

_IGNORED = (speech.SILENCE, speech.UNKNOWN)
_PACKAGES = ("tensorflow-cpu", "keras", "numpy", "tflite-micro")


def choose_decision(
    quantized: IntegerModel, gathered: Material, options: Options, observer: Observer
) -> OperatingPoint:
    """Choose window and threshold on words of val and on foreign speech of train.

    The foreign speech of train takes no part in training; that of test gives the rate on the card.
    """
    base = Decision(ignored=_IGNORED, hop_frames=_hop_frames(options.architecture))
    words = [c for c in gathered.task.split("val") if c.label not in _IGNORED]
    positive = _heard_words(words[:: _every(words)], quantized, gathered, options, base, observer)
    negative = _heard_foreign("train", quantized, gathered, options, base, observer)
    if not negative:
        return OperatingPoint(base, float("nan"), float("nan"))
    rate = options.window.front_end.sample_rate_hz
    return streams.choose(positive, negative, base, gathered.task.labels, rate)


def _hop_frames(architecture: str) -> int:
    """Return the frames between inferences: what lets a stream keep rows, else the usual."""
    return architectures.FRAMES_A_ROW.get(architecture, Decision().hop_frames)


def _every(clips: Sequence) -> int:
    """Every how many clips to take, so that some 200 stand for all of them."""
    return max(1, len(clips) // 200)


def _heard_words(
    clips: Sequence[Clip],
    quantized: IntegerModel,
    gathered: Material,
    options: Options,
    rule: Decision,
    observer: Observer,
) -> list[ScoredStream]:
    """Return each clip of a word as a stream that the model has heard."""
    sounds = [hearing.embedded(clip, options.window) for clip in clips]
    heard = hearing.score_streams(
        sounds, options.window, rule.hop_frames, quantized.scores,
        lambda done: observer.on_clips("words in streams", done, len(sounds)),
    )  # fmt: skip
    spoken = [gathered.task.index(clip) for clip in clips]
    return [ScoredStream(*row, label) for row, label in zip(heard, spoken, strict=True)]


def _heard_foreign(
    split: str,
    quantized: IntegerModel,
    gathered: Material,
    options: Options,
    rule: Decision,
    observer: Observer,
) -> list[ScoredStream]:
    """Return the recordings of foreign speech of a split as streams that the model has heard."""
    rate = options.window.front_end.sample_rate_hz
    sounds = [read_clip(clip, rate) for clip in gathered.negative if clip.split == split]
    heard = hearing.score_streams(
        sounds, options.window, rule.hop_frames, quantized.scores,
        lambda done: observer.on_clips(f"foreign speech of {split}", done, len(sounds)),
    )  # fmt: skip
    return [ScoredStream(*row) for row in heard]


def measure(
    fitted: Fitted,
    quantized: IntegerModel,
    gathered: Material,
    arrays: Arrays,
    options: Options,
    point: OperatingPoint,
    observer: Observer,
) -> dict[str, object]:
    """Return the contents of the card: what was used, and what the model does on val and test."""
    task, window = gathered.task, options.window
    clips = task.split("test")
    measured: dict[str, object] = {
        "task": task.name,
        "architecture": options.architecture,
        "parameters": fitted.model.count_params(),
        "macs": architectures.macs(fitted.model),
        "front_end": window.front_end.to_dict(),
        "frames": window.frames,
        "labels": list(task.labels),
        "data": card.sources(task.clips, gathered.synthetic),
        "clips": task.counts(),
        "synthetic_clips": len(gathered.synthetic),
        "training": {
            "recipe": asdict(options.recipe), "augment": asdict(options.augment),
            "takes": options.takes, "epochs": len(fitted.history), "best_epoch": fitted.best,
        },
        "versions": versions(),
    }  # fmt: skip
    for split, part in (("val", arrays.val), ("test", arrays.test)):
        measured[split] = float_and_quantized(
            fitted, quantized, part.features[:, 0], part.labels, part.names
        )
    for split in ("val", "test"):
        noises = [c for c in gathered.noise if c.split == split]
        part = getattr(arrays, split)
        if noises:
            rows = hearing.in_noise(task.split(split), noises, window, NOISE_SNR_DB)
            noisy = float_and_quantized(fitted, quantized, rows, part.labels, part.names)
            measured[f"{split}_noise"] = {"snr_db": NOISE_SNR_DB} | noisy
    sources = [clip.source for clip in clips]
    measured["test_by_source"] = _by_source(quantized, arrays.test, sources)
    measured["stream"] = _stream_facts(quantized, gathered, options, point, observer)
    return measured


def float_and_quantized(
    fitted: Fitted,
    quantized: IntegerModel | FloatModel,
    windows: np.ndarray,
    labels: np.ndarray,
    names: Sequence[str],
) -> dict[str, object]:
    """Return what both models make of int16 features [n, frames, features]."""
    real = fitting.scores(fitted.model, fitted.scale(windows)).argmax(axis=1)
    whole = quantized.scores(windows)
    result = card.result(labels, whole.argmax(axis=1), names)
    return result | {
        "top2_int8": confusion.top_k(whole, labels, 2),
        "accuracy_float": float(np.mean(real == labels)),
        "agreement": float(np.mean(real == whole.argmax(axis=1))),
    }


def _by_source(
    quantized: IntegerModel, test: Examples, sources: Sequence[str]
) -> dict[str, object]:
    right = quantized.scores(test.features[:, 0]).argmax(axis=1) == test.labels
    found = {}
    for source in sorted(set(sources)):
        here = np.array([s == source for s in sources])
        found[source] = {"clips": int(here.sum()), "accuracy": float(right[here].mean())}
    return found


def _stream_facts(
    quantized: IntegerModel,
    gathered: Material,
    options: Options,
    point: OperatingPoint,
    observer: Observer,
) -> dict[str, object]:
    rate = options.window.front_end.sample_rate_hz
    words = [c for c in gathered.task.split("test") if c.label not in _IGNORED]
    rule = point.decision
    heard = _heard_words(words[:: _every(words)], quantized, gathered, options, rule, observer)
    foreign = _heard_foreign("test", quantized, gathered, options, rule, observer)
    labels = gathered.task.labels
    return {
        "decision": rule.to_dict(),
        "val_found": point.found,
        "train_false_accepts_per_hour": point.false_accepts_per_hour,
        "test_streams": len(heard),
        "test_found": streams.found(heard, rule, labels, rate),
        "test_foreign_minutes": sum(s.seconds for s in foreign) / 60,
        "test_false_accepts_per_hour": streams.false_accepts_per_hour(foreign, rule, labels, rate),
    }


def versions() -> dict[str, str]:
    """Return the versions of edgeasr and of the packages that shape a model."""
    found = {"edgeasr": __version__}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found
