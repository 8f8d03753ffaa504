"""The pipeline from recordings to a speech model with its card, readable from top to bottom."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgeasr import paths, speech
from edgeasr.backend import load_keras
from edgeasr.models import architectures, fitting, material
from edgeasr.models.examples import Examples, Takes, examples, join
from edgeasr.models.fitting import Epoch, Fitted
from edgeasr.models.material import Material
from edgeasr.quantize import IntegerModel, calibration_problems, quantize
from edgeasr.report import card
from edgeasr.speech import Facts
from edgeasr.training.measuring import choose_decision, measure
from edgeasr.training.options import Arrays, Observer, Options

if TYPE_CHECKING:
    import keras

CALIBRATION_CLIPS = 800
_SILENT = Observer()
_AS_RECORDED = Takes()


@dataclass(frozen=True)
class Trained:
    """A speech model's bytes, its Keras model, facts, and the card's contents."""

    content: bytes
    model: keras.Model
    facts: Facts
    card: dict[str, object]


def train(data: Path, options: Options, observer: Observer = _SILENT) -> Trained:
    """Train, quantize and measure a model on the data sets in a folder; write nothing but caches.

    Raises InputError for unusable data, ToolError without TensorFlow, CheckError when the model
    cannot be an integer one.
    """
    load_keras()
    gathered = gather(data, options, observer)
    arrays = compute(gathered, options, observer)
    fitted = fit(arrays, options, observer)
    calibration, labels = calibration_windows(arrays.train, fitted.scale, options.recipe.seed)
    for problem in calibration_problems(calibration, labels, arrays.train.names):
        observer.say(problem)
    content = quantize(fitted.model, calibration)
    quantized = IntegerModel(content, fitted.scale.scale, fitted.scale.offset)
    observer.say("choosing the decision rule on val, with foreign speech of train")
    point = choose_decision(quantized, gathered, options, observer)
    observer.say("measuring on test")
    measured = measure(fitted, quantized, gathered, arrays, options, point, observer)
    facts = Facts(
        options.task, gathered.task.labels, options.window.front_end, options.window.frames,
        fitted.scale.scale, fitted.scale.offset, point.decision, _provenance(measured, options),
    )  # fmt: skip
    embedded = speech.embed(content, facts)
    measured["size_bytes"] = len(embedded)
    return Trained(embedded, fitted.model, facts, measured)


def gather(data: Path, options: Options, observer: Observer) -> Material:
    """Find the clips, with synthetic voices for training when they are asked for."""
    seed = 1  # Of the selection, not of the training: all trainings see the same test.
    gathered = material.gather(options.task, data, seed)
    if not options.synthetic:
        return gathered
    observer.say(f"voices: {options.synthetic} synthetic clips a word, for training only")
    done = iter(range(1, 1_000_000))
    return material.with_voices(
        gathered, options.synthetic, paths.cache() / "synthetic", seed=seed,
        on_clip=lambda: observer.on_clips("voices", next(done), 0),
    )  # fmt: skip


def compute(gathered: Material, options: Options, observer: Observer) -> Arrays:
    """Compute the features of all splits; test and val as recorded, train in several takes."""
    names, window = gathered.task.labels, options.window
    noises = tuple(clip for clip in gathered.noise if clip.split == "train")
    varied = Takes(options.takes, options.augment, noises, seed=1)

    def of(what: str, clips: Sequence, takes: Takes = _AS_RECORDED) -> Examples:
        return examples(
            clips, names, window, takes, cache=paths.cache() / "features",
            on_clip=lambda done: observer.on_clips(what, done, len(clips)),
        )  # fmt: skip

    learned = of("train", gathered.task.split("train"), varied)
    if gathered.synthetic:
        spoken = replace(varied, count=options.synthetic_takes, original=False)
        learned = join(learned, of("synthetic", gathered.synthetic, spoken))
    val, test = gathered.task.split("val"), gathered.task.split("test")
    return Arrays(learned, of("val", val), of("test", test))


def fit(arrays: Arrays, options: Options, observer: Observer) -> Fitted:
    """Train, or take the weights that the same training left in the cache."""
    frames, count = arrays.train.features.shape[2:]
    labels = len(arrays.train.names)
    # TensorFlow's global seed must be set before the first weights are drawn.
    load_keras().utils.set_random_seed(options.recipe.seed)
    model = architectures.build(options.architecture, frames, count, labels)
    folder = paths.cache() / "trained"
    stem = folder / _key(arrays, options)
    weights, history = stem.with_suffix(".weights.h5"), stem.with_suffix(".json")
    if weights.is_file() and history.is_file():
        observer.say("weights of this very training are in the cache; not training again")
        model.load_weights(weights)
        kept = json.loads(history.read_text())
        epochs = tuple(Epoch(**epoch) for epoch in kept["history"])
        return Fitted(model, fitting.scale_of(arrays.train), epochs, kept["best"])
    fitted = fitting.fit(
        model, arrays.train, arrays.val, options.recipe,
        on_epoch=lambda epoch: observer.on_epoch(epoch, options.recipe.epochs),
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        part = Path(scratch) / weights.name
        model.save_weights(part)
        part.replace(weights)
    text = {"history": [asdict(epoch) for epoch in fitted.history], "best": fitted.best}
    history.write_text(json.dumps(text))
    return fitted


def _key(arrays: Arrays, options: Options) -> str:
    """Name a training by its features, labels, architecture and recipe."""
    digest = hashlib.sha256()
    for part in (arrays.train, arrays.val):
        digest.update(np.ascontiguousarray(part.features).data)
        digest.update(np.ascontiguousarray(part.labels).data)
        digest.update(json.dumps([part.names, part.words]).encode())
    settings = [options.architecture, asdict(options.recipe)]
    digest.update(json.dumps(settings, sort_keys=True).encode())
    return f"{options.task}-{digest.hexdigest()[:20]}"


def calibration_features(train: Examples, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return features of up to CALIBRATION_CLIPS training clips, as evenly of all classes as they
    come, and their classes: int16 [n, frames, features] and places in `names` [n]."""
    rng = np.random.default_rng([seed, 1])
    chance = 1 / train.counts()[train.labels]
    count = min(CALIBRATION_CLIPS, len(train))
    chosen = rng.choice(len(train), count, replace=False, p=chance / chance.sum())
    takes = rng.integers(0, train.features.shape[1], count)
    return train.features[chosen, takes], train.labels[chosen]


def calibration_windows(
    train: Examples, scale: fitting.Scale, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the same as real windows, float32, and their classes."""
    found, labels = calibration_features(train, seed)
    return scale(found), labels


def _provenance(measured: dict[str, object], options: Options) -> dict[str, object]:
    """Return what the file itself says of its origin; the card says more."""
    return {
        "architecture": options.architecture,
        "data": measured["data"],
        "split": "speaker-disjoint; trained on train, tuned on val, measured on test",
        "synthetic_training_clips": measured["synthetic_clips"],
        "seed": options.recipe.seed,
        "accuracy_test": {
            "int8": round(measured["test"]["accuracy"], 4),
            "float": round(measured["test"]["accuracy_float"], 4),
            "clips": measured["test"]["clips"],
        },
        "weights_licence": card.weights_licence(measured["data"]),
        "versions": measured["versions"],
    }


def write(trained: Trained, out: Path, command: str) -> list[Path]:
    """Write NAME.tflite, NAME.keras, NAME.json and NAME.md into a folder; all of them or none.

    Returns their paths. Files of the same names are replaced.
    """
    out.mkdir(parents=True, exist_ok=True)
    name = trained.facts.name
    contents = trained.card | {"command": command}
    with tempfile.TemporaryDirectory(dir=out, prefix=f".{name}.") as scratch:
        folder = Path(scratch)
        (folder / f"{name}.tflite").write_bytes(trained.content)
        trained.model.save(folder / f"{name}.keras")
        (folder / f"{name}.json").write_text(card.to_json(contents))
        (folder / f"{name}.md").write_text(card.render(contents))
        made = sorted(folder.iterdir())
        return [part.replace(out / part.name) for part in made]
