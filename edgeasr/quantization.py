"""`quantize` from end to end: a model's name and a recipe become a `.tflite`, with a report.

A float model is quantized by its recipe, a search of schemes first where asked for; of any int8
`.tflite` the weights alone move onto a grid, without training.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from edgeasr import backend, boards, deploy, graph, speech
from edgeasr.audio import Clip, catalog
from edgeasr.codegen import extensions
from edgeasr.errors import InputError
from edgeasr.models import hearing
from edgeasr.paths import cache
from edgeasr.quantize import INTEGER_ACTIVATIONS, low_bit, quantize
from edgeasr.quantize.executors import Executor
from edgeasr.quantize.mixed import Budget
from edgeasr.quantize.rewriting import read
from edgeasr.quantize.search import Step
from edgeasr.speech import SpeechModel
from edgeasr.training import pipeline, quantizing, searching
from edgeasr.training.options import Observer
from edgeasr.training.quantizing import Prepared
from edgeasr.training.recipes import QuantizationRecipe

SEARCH_EVALUATIONS = 260
_CALIBRATION_CLIPS = 400


def quantize_model(
    name: str,
    data: Path | None,
    out: Path,
    recipe: QuantizationRecipe,
    *,
    seed: int,
    board: str | None,
    executor: Executor,
    max_share: float = 0.4,
    max_instructions: int | None = None,
    observer: Observer = Observer(),  # noqa: B008 - frozen
    on_step: Callable[[str, Step], None] = lambda model, step: None,
) -> dict[str, object]:
    """Quantize a float model of the zoo, a `.keras` file or an int8 `.tflite`; write it to `out`.

    board: refuse, before any work, what its engine cannot run, and afterwards what does not fit.
    max_share, max_instructions: budget of a search. Returns the report, with the file's path.
    """
    _check_board(recipe, board)
    _folder(out)
    source = quantizing.zoo_source(name)
    if source.suffix == ".tflite":
        content, report = _foreign(source, data, recipe, observer)
    else:
        content, report = _own(
            source, data, recipe, seed, executor, (max_share, max_instructions), board,
            observer, on_step,
        )  # fmt: skip
    made = quantizing.Quantized(content, report)
    with tempfile.TemporaryDirectory(dir=_folder(out), prefix=f".{out.name}.") as scratch:
        part = quantizing.write(made, Path(scratch) / out.name)
        if board:
            _check_fit(part, board)
        part.replace(out)
    return {"file": str(out), **report, "file_bytes": len(content)}


def _check_board(recipe: QuantizationRecipe, board: str | None) -> None:
    if board is None:
        return
    found = boards.load(board)
    if recipe.activations not in INTEGER_ACTIVATIONS:
        raise InputError(
            f"activations {recipe.activations}: board {found.name} runs the ear engine, which "
            "computes with integers only; the nearest is --activations int8, or int16; leave "
            "--board out for the TFLite runtime of a Raspberry Pi"
        )


def _check_fit(file: Path, board: str) -> None:
    """Raise InputError for what the engine cannot run, CheckError for what cannot fit."""
    model = speech.load(file)
    loaded = boards.load(board)
    extension = extensions.of_core(loaded.core)
    deploy.check_fit(model, deploy.generate_model(model, board, extension=extension), loaded)


def _folder(out: Path) -> Path:
    """Return the folder of a file to be written, made if it is missing."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: cannot be written: {error.strerror}; choose another") from None
    return out.parent


def _own(
    file: Path,
    data: Path | None,
    recipe: QuantizationRecipe,
    seed: int,
    executor: Executor,
    limits: tuple[float, int | None],
    board: str | None,
    observer: Observer,
    on_step: Callable[[str, Step], None],
) -> tuple[bytes, Mapping[str, object]]:
    backend.one_thread()
    source = quantizing.load_source(file)
    if data is None:
        raise InputError(f"{file}: quantizing needs recordings to calibrate with; give --data")
    prepared = quantizing.prepare(
        source, data, trains=recipe.trains or recipe.search, observer=observer
    )
    if recipe.search:
        recipe = _searched(prepared, recipe, seed, executor, limits, board, on_step)
    checkpoints = cache() / "quantizing"
    made = quantizing.run(prepared, recipe, seed, observer, checkpoints)
    return made.content, made.report


def _searched(
    prepared: Prepared,
    recipe: QuantizationRecipe,
    seed: int,
    executor: Executor,
    limits: tuple[float, int | None],
    board: str | None,
    on_step: Callable[[str, Step], None],
) -> QuantizationRecipe:
    source = prepared.source
    windows, _ = pipeline.calibration_windows(prepared.arrays.train, source.scale, seed)
    int8 = quantize(source.model, windows)
    whole = sum(place.weights for place in searching.places(int8))
    most = int(whole * limits[0])
    has = boards.load(board).flash_bytes if board else None
    budget = Budget(most if has is None else min(most, has), limits[1])
    state = cache() / "quantizing" / f"search-{source.digest[:16]}-{seed}.jsonl"
    state.parent.mkdir(parents=True, exist_ok=True)
    found = searching.find(
        prepared, int8, executor, budget=budget, seed=seed, evaluations=SEARCH_EVALUATIONS,
        state=state, progress=functools.partial(on_step, source.file.stem),
    )  # fmt: skip
    return recipe.with_layers(searching.learned(found))


def _foreign(
    file: Path, data: Path | None, recipe: QuantizationRecipe, observer: Observer
) -> tuple[bytes, Mapping[str, object]]:
    """Move the weights of a `.tflite` onto grids: all that can be done without its float model."""
    if recipe.trains or recipe.search or recipe.equalize or recipe.activations != "int8":
        raise InputError(
            f"{file}: of a .tflite only the weights can be quantized further, after training; "
            "give its float model (.keras) for a recipe that trains, searches, equalizes or "
            "changes activations"
        )
    graph.load(file)  # refuses what is no model, by name
    content = file.read_bytes()
    chosen = recipe.assign({layer.op.index: layer.op.kind for layer in read(content)})
    windows = None
    if recipe.rounding == "compensated" or recipe.bias_correction:
        model = speech.load(file)
        windows = hearing.inputs(model, _calibration_clips(model, data))
    made = low_bit.quantize_weights(
        content, chosen, windows, rounding=recipe.rounding,
        bias_correction=recipe.bias_correction, progress=observer.say,
    )  # fmt: skip
    report = {
        "recipe": recipe.name, "weights": recipe.weights, "when": recipe.when,
        "activations": recipe.activations, "seed": None,
        "layers": {str(op): str(scheme) for op, scheme in chosen.items()},
        **quantizing.packed_bytes(made),
    }  # fmt: skip
    if speech.METADATA_NAME in graph.parse(made).metadata:
        facts = speech.load(file).facts
        made = speech.embed(made, quantizing.with_provenance(facts, report))
    return made, report


def _calibration_clips(model: SpeechModel, data: Path | None) -> Sequence[Clip]:
    if data is None:
        raise InputError(f"{model.path}: needs recordings to calibrate with; give --data")
    clips = [clip for clip in catalog.load(data) if clip.split != "test"]
    if not clips:
        raise InputError(f"{data}: no recordings outside the test split; give others with --data")
    return clips[:: max(1, len(clips) // _CALIBRATION_CLIPS)]
