"""A float model and a recipe become a quantized speech model, measured on the test split.

Readable from top to bottom: load the float model, prepare its data, run a recipe, write the file.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgeasr import graph, paths, speech
from edgeasr.backend import load_keras
from edgeasr.codegen.model import generate
from edgeasr.errors import InputError
from edgeasr.models import fitting
from edgeasr.models.examples import Window
from edgeasr.models.fitting import Batches, Scale
from edgeasr.project import Layer
from edgeasr.quantize import (
    INTEGER_ACTIVATIONS,
    calibration_problems,
    folding,
    low_bit,
    quantize,
    runnable,
)
from edgeasr.quantize.calibration import capture
from edgeasr.quantize.grids import GridWeights
from edgeasr.quantize.rewriting import read
from edgeasr.quantize.schemes import Scheme, with_one_scale
from edgeasr.quantize.simulation import TrainingGraph
from edgeasr.speech import Facts
from edgeasr.training import incremental, integers, qat
from edgeasr.training.options import RECIPES as TRAININGS
from edgeasr.training.options import Arrays, Observer, Options
from edgeasr.training.pipeline import calibration_features, compute, gather
from edgeasr.training.qat import Lessons
from edgeasr.training.recipes import QuantizationRecipe

if TYPE_CHECKING:
    import keras

_SILENT = Observer()
# Windows that weights are compensated with: more gain little, and take time.
_FEW = 200
# Clips that are named where the training graph and the file disagree.
_EXPLAINED = 20
VOICES = Options("").synthetic


@dataclass(frozen=True, eq=False)
class FloatSource:
    """A trained Keras model with the facts of the speech model it became, and its file's digest."""

    file: Path
    model: keras.Model
    facts: Facts
    digest: str

    @property
    def scale(self) -> Scale:
        return Scale(self.facts.feature_scale, self.facts.feature_offset)


@dataclass(frozen=True, eq=False)
class Prepared:
    """A float model with its data: what every recipe needs. options: of the float training."""

    source: FloatSource
    arrays: Arrays
    options: Options

    def windows(self, split: str) -> np.ndarray:
        """Return real windows of a split, as recorded: float32 [n, frames, features]."""
        return self.source.scale(getattr(self.arrays, split).features[:, 0])


@dataclass(frozen=True, eq=False)
class Quantized:
    """A speech model's bytes, and what was measured of it."""

    content: bytes
    report: Mapping[str, object]


def zoo_source(name_or_path: str) -> Path:
    """Return the path of a float model of the zoo, by its name, or of any `.keras` file."""
    found = paths.zoo() / f"{name_or_path}.keras"
    return found if found.is_file() else Path(name_or_path)


def load_source(file: Path) -> FloatSource:
    """Load a `.keras` model that `train` wrote; its facts are those of the `.tflite` beside it.

    Raises InputError when a file is missing or is no Keras model.
    """
    keras = load_keras()
    if not file.is_file() or file.suffix != ".keras":
        raise InputError(f"{file}: no such .keras file; 'edgeasr train' writes one")
    try:
        model = keras.models.load_model(file, compile=False)
    except (ValueError, OSError, KeyError, TypeError) as error:
        first = str(error).strip().splitlines()[0]
        raise InputError(f"{file}: is not a Keras model ({first})") from None
    facts = speech.load(file.with_suffix(".tflite")).facts
    return FloatSource(file, model, facts, hashlib.sha256(file.read_bytes()).hexdigest())


def prepare(
    source: FloatSource,
    data: Path,
    *,
    trains: bool,
    observer: Observer = _SILENT,
    voices: int = VOICES,
) -> Prepared:
    """Find and compute the data that the float model was trained on.

    trains: whether a recipe will train on them; else two takes and no synthetic voices are enough.
    voices: synthetic clips a word, as in the training of the float model.
    """
    facts = source.facts
    options = Options(str(facts.provenance.get("task", facts.name)))
    options = replace(
        options, window=Window(facts.front_end, facts.frames),
        recipe=TRAININGS.get(options.task, options.recipe),
        synthetic=voices if trains else 0, takes=options.takes if trains else 2,
    )  # fmt: skip
    arrays = compute(gather(data, options, observer), options, observer)
    if list(arrays.train.names) != list(facts.labels):
        raise InputError(
            f"{source.file}: recognises {', '.join(facts.labels)}, the data have "
            f"{', '.join(arrays.train.names)}; give the data it was trained on"
        )
    return Prepared(source, arrays, options)


def run(
    prepared: Prepared,
    recipe: QuantizationRecipe,
    seed: int = 1,
    observer: Observer = _SILENT,
    checkpoints: Path | None = None,
) -> Quantized:
    """Quantize by a recipe and measure on val and test.

    seed: of the calibration windows, the batches and their changes. checkpoints: folder for what
    makes an interrupted training resumable. Raises CheckError when the converter fails to make an
    integer model of it.
    """
    found, labels = calibration_features(prepared.arrays.train, seed)
    windows = prepared.source.scale(found)
    for problem in calibration_problems(windows, labels, prepared.arrays.train.names):
        observer.say(problem)
    whole = quantize(prepared.source.model, windows, _integer(recipe.activations))
    chosen = recipe.assign({layer.op.index: layer.op.kind for layer in read(whole)})
    if recipe.trains:
        content, told = _trained(prepared, recipe, chosen, found, seed, observer, checkpoints)
    else:
        content, told = _after(prepared, recipe, chosen, found, observer), {}
    report = _measured(prepared, recipe, content)
    report |= {"seed": seed, "layers": {str(op): str(s) for op, s in chosen.items()}, **told}
    facts = with_provenance(prepared.source.facts, report)
    return Quantized(speech.embed(content, facts), report)


def _integer(activations: str) -> str:
    return activations if activations in INTEGER_ACTIVATIONS else "int8"


def _after(
    prepared: Prepared,
    recipe: QuantizationRecipe,
    chosen: Mapping[int, Scheme],
    found: np.ndarray,
    observer: Observer,
) -> bytes:
    """Quantize without training: the converter's integer model, its weights moved to their grids.

    found: int16 features to calibrate with.
    """
    model, scale = prepared.source.model, prepared.source.scale
    if recipe.equalize:
        model = folding.fold(model)
        folding.equalize(model)
    content = quantize(model, scale(found), recipe.activations)
    if not recipe.low_bit and not recipe.bias_correction:
        return content
    inputs = runnable(content, recipe.activations, scale.scale, scale.offset).inputs(found)
    return low_bit.quantize_weights(
        content, chosen, inputs, rounding=recipe.rounding,
        bias_correction=recipe.bias_correction, progress=observer.say,
    )  # fmt: skip


def _trained(
    prepared: Prepared,
    recipe: QuantizationRecipe,
    chosen: Mapping[int, Scheme],
    found: np.ndarray,
    seed: int,
    observer: Observer,
    checkpoints: Path | None,
) -> tuple[bytes, dict[str, object]]:
    """Train on the grids; return the file, and how the training graph compares with it.

    found: int16 features to calibrate with.
    """
    load_keras().utils.set_random_seed(seed)
    source, arrays = prepared.source, prepared.arrays
    folded = folding.fold(source.model)
    if recipe.equalize:
        folding.equalize(folded)
    made = TrainingGraph(folded, source.scale.offset)
    wanted = {
        name: with_one_scale(scheme) if weights.dense else scheme
        for (name, weights), scheme in zip(made.weights.items(), chosen.values(), strict=True)
    }
    windows = source.scale(found)
    made.calibrate(windows)
    recipe_of_batches = replace(prepared.options.recipe, seed=seed)
    lessons = Lessons(
        Batches(arrays.train, source.scale, recipe_of_batches), windows,
        prepared.windows("val"), arrays.val.labels, observer.on_epoch,
    )  # fmt: skip
    fit = incremental.nearest
    if recipe.rounding == "compensated":
        fit = functools.partial(_compensated, source.scale, found[:: len(found) // _FEW or 1])
    stages = incremental.stages(recipe, made, wanted, fit)
    key = _key(prepared, recipe, seed)
    files = [checkpoints and checkpoints / f"{key}-{n}.npz" for n in range(len(stages))]
    for stage, file in zip(stages, files, strict=True):
        observer.say(stage.name)
        stage.prepare(made)
        made.calibrate(windows)
        qat.run_stage(made, source.model, lessons, recipe.schooling, file)
    content = made.convert()
    told = {"disagreement": _disagreement(prepared, made, content)}
    for file in files:
        if file:
            file.unlink(missing_ok=True)
    return content, told


def _compensated(
    scale: Scale, found: np.ndarray, made: TrainingGraph, wanted: Mapping[str, Scheme]
) -> dict[str, tuple[GridWeights, np.ndarray]]:
    """Fit layers so that their sums come nearest to those of the graph as it is (an
    incremental.Fit). found: int16 features."""
    whole = made.convert()
    names = dict(zip([layer.op.index for layer in read(whole)], made.weights, strict=True))
    by_op = {op: wanted[name] for op, name in names.items() if name in wanted}
    inputs = runnable(whole, "int8", scale.scale, scale.offset).inputs(found)
    content = low_bit.quantize_weights(whole, by_op, inputs, rounding="compensated")
    parsed = graph.parse(content)
    fits = {}
    for layer in read(content):
        name = names[layer.op.index]
        if name in wanted:
            stored = parsed.tensor(layer.op.inputs[1])
            values = np.moveaxis(stored.data, layer.axis, 0)
            values = values.reshape(made.weights[name].kernel().shape)
            levels = wanted[name].levels()
            table = np.unique(values) if levels is None else levels
            scales = stored.quantization.scales
            fits[name] = GridWeights(values, scales, table[None].astype(np.int8), 0), layer.bias
    return fits


def _key(prepared: Prepared, recipe: QuantizationRecipe, seed: int) -> str:
    """Name a training by all that it depends on."""
    facts = [
        prepared.source.digest, _fingerprint(prepared.arrays), asdict(prepared.options.recipe),
        recipe_facts(recipe), seed,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:20]


def recipe_facts(recipe: QuantizationRecipe) -> dict[str, object]:
    """Return what of a recipe changes its result, for JSON."""
    facts = {**vars(recipe), "layers": dict(recipe.layers), "schooling": asdict(recipe.schooling)}
    return {name: value for name, value in facts.items() if name not in ("goal", "name")}


def _fingerprint(arrays: Arrays) -> str:
    digest = hashlib.sha256()
    for part in (arrays.train, arrays.val):
        digest.update(np.ascontiguousarray(part.features).data)
        digest.update(np.ascontiguousarray(part.labels).data)
    return digest.hexdigest()


def _disagreement(prepared: Prepared, made: TrainingGraph, content: bytes) -> dict[str, object]:
    """Return how many clips of test the training graph and the file name differently.

    differ: of its simulation in integers, or None and `not_simulated` says why. float_differ: of
    its floats, which round a sum once where TFLite-Micro rounds twice. explained: the first of
    these clips, each with the steps between the file's two best scores: few in a near tie.
    """
    scale, test = prepared.source.scale, prepared.arrays.test
    model = runnable(content, "int8", scale.scale, scale.offset)
    inputs = model.inputs(test.features[:, 0])
    output = model.graph.outputs[0]
    before = [op.inputs[0] for op in model.graph.ops if op.outputs == (output,)][-1]
    seen = capture(content, (before, output), inputs)
    scores, wanted = (seen[index].reshape(len(test), -1) for index in (output, before))
    named = scores.argmax(axis=1)
    floats = made.logits(model.real_inputs(test.features[:, 0])).argmax(axis=1) != named
    told: dict[str, object] = {"clips": len(test)}
    try:
        found = integers.logits(made, inputs)
    except InputError as error:
        differ = np.zeros(len(test), bool)
        told |= {"differ": None, "not_simulated": str(error)}
    else:
        # Of the same integers the softmax makes the same scores, ties included.
        differ = (found != wanted).any(axis=1) & (found.argmax(axis=1) != named)
        told["differ"] = int(differ.sum())
    best = np.sort(scores.astype(int), axis=1)
    steps = best[:, -1] - best[:, -2]
    clips = np.flatnonzero(floats | differ)[:_EXPLAINED]
    explained = [{"clip": int(clip), "steps": int(steps[clip])} for clip in clips]
    return told | {"float_differ": int(floats.sum()), "explained": explained}


def _measured(prepared: Prepared, recipe: QuantizationRecipe, content: bytes) -> dict[str, object]:
    scale = prepared.source.scale
    model = runnable(content, recipe.activations, scale.scale, scale.offset)
    report: dict[str, object] = {
        "task": prepared.options.task, "recipe": recipe.name, "weights": recipe.weights,
        "when": recipe.when, "activations": recipe.activations, "file_bytes": len(content),
    }  # fmt: skip
    for split in ("val", "test"):
        part = getattr(prepared.arrays, split)
        real = fitting.scores(prepared.source.model, prepared.windows(split)).argmax(axis=1)
        right = model.scores(part.features[:, 0]).argmax(axis=1) == part.labels
        report[split] = {
            "clips": len(part), "correct": int(right.sum()), "accuracy": float(right.mean()),
            "accuracy_float": float(np.mean(real == part.labels)),
        }  # fmt: skip
    integers_only = recipe.activations in INTEGER_ACTIVATIONS
    return report | (packed_bytes(content) if integers_only else stored_bytes(content))


def layers(content: bytes) -> tuple[Layer, ...]:
    """Return the layers of the firmware that an integer `.tflite` would make, as packed."""
    made = generate(
        graph.parse(content), name="model", labels=("?",), content=content, board="none",
        where="model",
    )  # fmt: skip
    return made.layers


def packed_bytes(content: bytes) -> dict[str, int]:
    """Return the bytes of the weights as packed for firmware, and as raw int8."""
    made = layers(content)
    return {
        "weight_bytes": sum(layer.weight_bytes for layer in made),
        "int8_weight_bytes": sum(layer.weight_count for layer in made),
    }


def stored_bytes(content: bytes) -> dict[str, int]:
    """Return the bytes of the weights as a `.tflite` in floating point holds them, and as int8."""
    kinds = ("int8", "float16", "float32")
    constants = [t for t in graph.parse(content).tensors if t.data is not None and t.dtype in kinds]
    held = [t.data for t in constants if t.data.ndim > 1]
    bytes_ = sum(array.nbytes for array in held)
    return {"weight_bytes": bytes_, "int8_weight_bytes": sum(array.size for array in held)}


def with_provenance(facts: Facts, report: Mapping[str, object]) -> Facts:
    """Return the facts with how the model was quantized, and what was measured of that alone."""
    kept = {k: v for k, v in facts.provenance.items() if k != "accuracy_test"}
    kept["quantization"] = {
        name: report[name]
        for name in ("recipe", "weights", "when", "activations", "seed", "layers")
    }
    if test := report.get("test"):
        kept["accuracy_test"] = {
            "quantized": round(test["accuracy"], 4), "float": round(test["accuracy_float"], 4),
            "clips": test["clips"],
        }  # fmt: skip
    return replace(facts, provenance=kept)


def write(quantized: Quantized, out: Path) -> Path:
    """Write the `.tflite`, whole or not at all."""
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f".{out.name}.part")
    part.write_bytes(quantized.content)
    return part.replace(out)
