"""The pipeline from recordings to a speech model with its card, readable from top to bottom."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgeasr import __version__, paths, speech
from edgeasr.audio import read_clip
from edgeasr.audio.augment import AugmentSpec
from edgeasr.decision import Decision
from edgeasr.errors import InputError
from edgeasr.evaluate import confusion, streams
from edgeasr.evaluate.streams import OperatingPoint, ScoredStream
from edgeasr.features import FrontEnd
from edgeasr.models import architectures, fitting, hearing, material
from edgeasr.models.examples import Examples, Takes, Window, examples, join
from edgeasr.models.fitting import Epoch, Fitted, Recipe
from edgeasr.models.material import Material
from edgeasr.quantize import Int8Model, calibration_problems, quantize
from edgeasr.report import card
from edgeasr.speech import Facts

if TYPE_CHECKING:
    import keras

# Chosen by 'edgeasr train --compare-front-ends': see the README of the zoo.
FRONT_END = FrontEnd(
    kind="micro", window_ms=30, hop_ms=20, channels=40, noise_reduction=False, pcan=False
)
FRAMES = 49
CALIBRATION_CLIPS = 800
NOISE_SNR_DB = 10.0
_IGNORED = (speech.SILENCE, speech.UNKNOWN)
_PACKAGES = ("tensorflow-cpu", "keras", "numpy", "tflite-micro")


@dataclass(frozen=True)
class Options:
    """What is trained, and how. synthetic: clips per word of synthetic voices, 0 for none."""

    task: str
    architecture: str = "ds_resnet"
    window: Window = Window(FRONT_END, FRAMES)  # noqa: RUF009 - frozen
    recipe: Recipe = field(default_factory=Recipe)
    augment: AugmentSpec = field(
        default_factory=lambda: AugmentSpec(band_limit_chance=0.3, noise_chance=0.6)
    )
    takes: int = 6
    synthetic: int = 200
    synthetic_takes: int = 3


@dataclass(frozen=True)
class Observer:
    """Whom the pipeline tells what it does: a line, clips done of a total, an epoch, a warning."""

    say: Callable[[str], None] = lambda line: None
    on_clips: Callable[[str, int, int], None] = lambda what, done, total: None
    on_epoch: Callable[[Epoch, int], None] = lambda epoch, total: None


@dataclass(frozen=True)
class Trained:
    """A speech model's bytes, its Keras model, facts, and the card's contents."""

    content: bytes
    model: keras.Model
    facts: Facts
    card: dict[str, object]


@dataclass(frozen=True)
class Arrays:
    """Examples of each split of a task."""

    train: Examples
    val: Examples
    test: Examples


def train(data: Path, options: Options, observer: Observer = Observer()) -> Trained:
    """Train, quantize and measure a model on the data sets in a folder; write nothing but caches.

    Raises InputError for unusable data, ToolError without TensorFlow, CheckError when the model
    cannot be an integer one.
    """
    architectures.load_keras()
    gathered = gather(data, options, observer)
    arrays = compute(gathered, options, observer)
    fitted = fit(arrays, options, observer)
    calibration = calibration_windows(arrays.train, fitted.scale, options.recipe.seed)
    for problem in calibration_problems(calibration):
        observer.say(problem)
    content = quantize(fitted.model, calibration)
    int8 = Int8Model(content, fitted.scale.scale, fitted.scale.offset)
    observer.say("choosing the decision rule on val, with foreign speech of train")
    point = choose_decision(int8, gathered, options, observer)
    observer.say("measuring on test")
    measured = measure(fitted, int8, gathered, arrays, options, point, observer)
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

    def of(what: str, clips: Sequence, takes: Takes = Takes()) -> Examples:  # noqa: B008
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
    architectures.load_keras().utils.set_random_seed(options.recipe.seed)
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


def calibration_windows(train: Examples, scale: fitting.Scale, seed: int) -> np.ndarray:
    """Return real windows of up to CALIBRATION_CLIPS training clips, as evenly of all classes as
    they come: float32 [n, frames, features]."""
    rng = np.random.default_rng([seed, 1])
    chance = 1 / train.counts()[train.labels]
    count = min(CALIBRATION_CLIPS, len(train))
    chosen = rng.choice(len(train), count, replace=False, p=chance / chance.sum())
    takes = rng.integers(0, train.features.shape[1], count)
    return scale(train.features[chosen, takes])


def choose_decision(
    int8: Int8Model, gathered: Material, options: Options, observer: Observer
) -> OperatingPoint:
    """Choose window and threshold on words of val and on foreign speech of train.

    The foreign speech of train takes no part in training; that of test gives the rate on the card.
    """
    base = Decision(ignored=_IGNORED)
    words = [c for c in gathered.task.split("val") if c.label not in _IGNORED]
    positive = _heard_words(words[:: _every(words)], int8, gathered, options, base, observer)
    negative = _heard_foreign("train", int8, gathered, options, base, observer)
    if not negative:
        return OperatingPoint(base, float("nan"), float("nan"))
    rate = options.window.front_end.sample_rate_hz
    return streams.choose(positive, negative, base, gathered.task.labels, rate)


def _every(clips: Sequence) -> int:
    """Every how many clips to take, so that some 200 stand for all of them."""
    return max(1, len(clips) // 200)


def _heard_words(clips, int8, gathered, options, rule, observer) -> list[ScoredStream]:
    sounds = [hearing.embedded(clip, options.window) for clip in clips]
    heard = hearing.score_streams(
        sounds, options.window, rule.hop_frames, int8.scores,
        lambda done: observer.on_clips("words in streams", done, len(sounds)),
    )  # fmt: skip
    spoken = [gathered.task.index(clip) for clip in clips]
    return [ScoredStream(*row, label) for row, label in zip(heard, spoken, strict=True)]


def _heard_foreign(split, int8, gathered, options, rule, observer) -> list[ScoredStream]:
    rate = options.window.front_end.sample_rate_hz
    sounds = [read_clip(clip, rate) for clip in gathered.negative if clip.split == split]
    heard = hearing.score_streams(
        sounds, options.window, rule.hop_frames, int8.scores,
        lambda done: observer.on_clips(f"foreign speech of {split}", done, len(sounds)),
    )  # fmt: skip
    return [ScoredStream(*row) for row in heard]


def measure(
    fitted: Fitted,
    int8: Int8Model,
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
        measured[split] = _both(fitted, int8, part.features[:, 0], part.labels, part.names)
    for split in ("val", "test"):
        noises = [c for c in gathered.noise if c.split == split]
        part = getattr(arrays, split)
        if noises:
            rows = hearing.in_noise(task.split(split), noises, window, NOISE_SNR_DB)
            noisy = _both(fitted, int8, rows, part.labels, part.names)
            measured[f"{split}_noise"] = {"snr_db": NOISE_SNR_DB} | noisy
    sources = [clip.source for clip in clips]
    measured["test_by_source"] = _by_source(int8, arrays.test, sources)
    measured["stream"] = _stream_facts(int8, gathered, options, point, observer)
    return measured


def _both(fitted, int8, windows, labels, names) -> dict[str, object]:
    """Return float and int8 results for int16 features [n, frames, features]."""
    real = fitting.scores(fitted.model, fitted.scale(windows)).argmax(axis=1)
    whole = int8.scores(windows)
    result = card.result(labels, whole.argmax(axis=1), names)
    return result | {
        "top2_int8": confusion.top_k(whole, labels, 2),
        "accuracy_float": float(np.mean(real == labels)),
        "agreement": float(np.mean(real == whole.argmax(axis=1))),
    }


def _by_source(int8: Int8Model, test: Examples, sources: Sequence[str]) -> dict[str, object]:
    right = int8.scores(test.features[:, 0]).argmax(axis=1) == test.labels
    found = {}
    for source in sorted(set(sources)):
        here = np.array([s == source for s in sources])
        found[source] = {"clips": int(here.sum()), "accuracy": float(right[here].mean())}
    return found


def _stream_facts(int8, gathered, options, point, observer) -> dict[str, object]:
    rate = options.window.front_end.sample_rate_hz
    words = [c for c in gathered.task.split("test") if c.label not in _IGNORED]
    rule = point.decision
    heard = _heard_words(words[:: _every(words)], int8, gathered, options, rule, observer)
    foreign = _heard_foreign("test", int8, gathered, options, rule, observer)
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


def requantize(
    keras_file: Path, data: Path, out: Path, say: Callable[[str], None] = lambda line: None
) -> dict[str, object]:
    """Quantize a model of `train` again and write it, whole or not at all.

    The facts come from the `.tflite` beside the `.keras`. Raises InputError when a file is missing
    or is not a model of that task's shape.
    """
    keras = architectures.load_keras()
    if not keras_file.is_file() or keras_file.suffix != ".keras":
        raise InputError(f"{keras_file}: no such .keras file; 'edgeasr train' writes one")
    try:
        model = keras.models.load_model(keras_file)
    except (ValueError, OSError, KeyError, TypeError) as error:
        first = str(error).strip().splitlines()[0]
        raise InputError(f"{keras_file}: is not a Keras model ({first})") from None
    facts = speech.load(keras_file.with_suffix(".tflite")).facts
    task = str(facts.provenance.get("task", facts.name))
    options = Options(task, window=Window(facts.front_end, facts.frames), takes=2, synthetic=0)
    arrays = compute(gather(data, options, Observer(say)), options, Observer(say))
    scale = fitting.Scale(facts.feature_scale, facts.feature_offset)
    calibration = calibration_windows(arrays.train, scale, options.recipe.seed)
    for problem in calibration_problems(calibration):
        say(problem)
    content = quantize(model, calibration)
    int8 = Int8Model(content, scale.scale, scale.offset)
    fitted = Fitted(model, scale, (), 0)
    result = _both(fitted, int8, arrays.test.features[:, 0], arrays.test.labels, arrays.test.names)
    embedded = speech.embed(content, facts)
    part = out.with_name(f".{out.name}.part")
    part.write_bytes(embedded)
    part.replace(out)
    return {
        "file": str(out),
        "size_bytes": len(embedded),
        "test_clips": result["clips"],
        "test_accuracy_int8": result["accuracy"],
        "test_accuracy_float": result["accuracy_float"],
    }


def compare_front_ends(
    data: Path, options: Options, ends: dict[str, FrontEnd], observer: Observer
) -> list[dict[str, object]]:
    """Train shortly, without synthetic voices, with each front end; return float accuracy on val.

    In noise each clip is mixed at NOISE_SNR_DB with a recording of noise of val. The clips, their
    changes, the recipe and the seed are the same for all.
    """
    rows = []
    for name, end in ends.items():
        short = replace(options.recipe, epochs=min(options.recipe.epochs, 30))
        window = Window(end, options.window.frames)
        tried = replace(options, window=window, synthetic=0, takes=3, recipe=short)
        observer.say(f"front end {name}")
        gathered = gather(data, tried, observer)
        arrays = compute(gathered, tried, observer)
        fitted = fit(arrays, tried, observer)
        noises = [clip for clip in gathered.noise if clip.split == "val"]
        noisy = hearing.in_noise(gathered.task.split("val"), noises, window, NOISE_SNR_DB)
        found = {
            where: fitting.scores(fitted.model, fitted.scale(rows_)).argmax(axis=1)
            for where, rows_ in (("clean", arrays.val.features[:, 0]), ("noise", noisy))
        }
        share = {k: float(np.mean(v == arrays.val.labels)) for k, v in found.items()}
        rows.append({"front_end": name, "clips": len(arrays.val), "epochs": short.epochs, **share})
        observer.say(f"{name}: {share}")
    return rows


def comparison_table(rows: Sequence[dict[str, object]]) -> str:
    """Return the comparison as a table in Markdown."""
    lines = [
        f"| front end | val, as recorded | val, in noise at {NOISE_SNR_DB:g} dB |",
        "| --- | --- | --- |",
    ]
    for row in rows:
        lines.append(
            f"| {row['front_end']} | {100 * row['clean']:.1f} % | {100 * row['noise']:.1f} % |"
        )
    return "\n".join(lines)
