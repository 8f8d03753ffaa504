"""Mixed precision for one float model: what an assignment of schemes to layers scores on val.

An assignment is tried without training: weights on their grids, activations in floats. Loss is the
divergence of its scores from the float model's on val (Kullback and Leibler, 1951), in nats.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgeasr import graph
from edgeasr.codegen import cost, extensions, packing
from edgeasr.codegen.lower import lower
from edgeasr.codegen.macs import inside, macs
from edgeasr.codegen.packing import pack_raw
from edgeasr.models import fitting
from edgeasr.quantize import folding, grids, schemes, search
from edgeasr.quantize.executors import Executor
from edgeasr.quantize.mixed import Assignment, Budget, Layer, Problem, Score
from edgeasr.quantize.rewriting import read
from edgeasr.quantize.search import Found, Step
from edgeasr.training.quantizing import Prepared, load_source

if TYPE_CHECKING:
    import keras

# Raise it when the same assignment would score otherwise.
_VERSION = 2
# From most to least precise; the first is the reference.
CHOICES = ("uniform8", "codebook32", "codebook16", "codebook8", "codebook4", "ternary")


@dataclass(frozen=True)
class Place:
    """A layer that a search chooses for. inside: as codegen.macs has it; channel_axis: of the
    stored tensor; kernel: of a Cortex-M4F."""

    op: int
    kind: str
    weights: int
    macs: int
    inside: tuple[float, float]
    channel_axis: int
    kernel: str


def places(content: bytes) -> tuple[Place, ...]:
    """Return the layers with weights of a `.tflite`, in order."""
    quantized = graph.parse(content)
    return tuple(
        Place(
            layer.op.index,
            layer.op.kind,
            layer.weights.size,
            macs(quantized, layer.op),
            inside(quantized, layer.op),
            layer.axis,
            lower(quantized, layer.op, pack=pack_raw, extension=extensions.DSP).kernel,
        )
        for layer in read(content)
    )


def find(
    prepared: Prepared,
    content: bytes,
    executor: Executor,
    *,
    budget: Budget,
    evaluations: int,
    seed: int,
    state: Path | None = None,
    progress: Callable[[Step], None] | None = None,
) -> Found:
    """Search schemes for the layers of a float model under a budget.

    content: the model as int8 `.tflite`, for its operations. state: file that makes the search
    resumable.
    """
    found = places(content)
    choices = tuple(str(schemes.parse(text)) for text in CHOICES)
    problem = Problem(tuple(Layer(str(p.op), p.weights, p.macs, choices) for p in found))
    make = functools.partial(
        _Evaluator, prepared.source.file, found, prepared.windows("val"), prepared.arrays.val.labels
    )
    return search.search(
        problem, make, executor, evaluations=evaluations, budget=budget, seed=seed,
        fingerprint=_fingerprint(prepared), state=state, progress=progress,
    )  # fmt: skip


def _fingerprint(prepared: Prepared) -> str:
    """Name all that a score depends on besides the assignment."""
    val = prepared.arrays.val
    digest = hashlib.sha256(prepared.source.digest.encode())
    for part in (val.features, val.labels):
        digest.update(np.ascontiguousarray(part).data)
    return f"{_VERSION}-{digest.hexdigest()[:16]}"


def learned(found: Found) -> dict[int, str]:
    """Return the best assignment by operation, its scales and tables to be trained further."""

    def trained(text: str) -> str:
        scheme = schemes.parse(text)
        return text if scheme.bits == 8 else str(replace(scheme, rule="learned"))

    return {
        int(layer.name): trained(text)
        for layer, text in zip(found.problem.layers, found.best.assignment, strict=True)
    }


def lost_alone(prepared: Prepared, content: bytes, chosen: Mapping[str, str]) -> dict[str, float]:
    """Return the accuracy on val that each layer alone loses on its grid, by operation number.

    chosen: operation number -> scheme. Without training, all other layers in int8.
    """
    found = places(content)
    evaluate = _Evaluator(
        prepared.source.file, found, prepared.windows("val"), prepared.arrays.val.labels
    )
    reference = ["uniform8"] * len(found)
    whole = evaluate(tuple(reference)).accuracy
    return {
        str(place.op): whole
        - evaluate((*reference[:at], chosen[str(place.op)], *reference[at + 1 :])).accuracy
        for at, place in enumerate(found)
    }


class _Evaluator:
    """Scores assignments; made once in each worker. Layers on their grids are kept."""

    def __init__(
        self, file: Path, found: tuple[Place, ...], windows: np.ndarray, labels: np.ndarray
    ) -> None:
        self._places, self._windows, self._labels = found, windows, labels
        self._model: keras.Model = folding.fold(load_source(file).model)
        self._layers = [layer for layer in self._model.layers if folding.weighted(layer)]
        self._free = [layer.get_weights() for layer in self._layers]
        self._teacher = fitting.scores(self._model, windows)
        self._known: dict[tuple[int, str], tuple[np.ndarray, int, int]] = {}

    def __call__(self, assignment: Assignment) -> Score:
        flash = instructions = 0
        for place, text in enumerate(assignment):
            kernel, size, work = self._on_grid(place, text)
            self._layers[place].set_weights([kernel, *self._free[place][1:]])
            flash, instructions = flash + size, instructions + work
        scores = fitting.scores(self._model, self._windows)
        right = scores.argmax(axis=1) == self._labels
        return Score(
            float(right.mean()), _divergence(self._teacher, scores), flash, instructions or None
        )

    def _on_grid(self, place: int, text: str) -> tuple[np.ndarray, int, int]:
        """Return the layer's kernel on a grid, its bytes as packed, and its instructions."""
        if (place, text) not in self._known:
            at = self._places[place]
            scheme = schemes.parse(text)
            if at.kind == "FULLY_CONNECTED":
                scheme = schemes.with_one_scale(scheme)
            kernel = self._free[place][0]
            flat = kernel.reshape(*kernel.shape[:2], -1) if _is_depthwise(at) else kernel
            fitted = grids.fit(np.moveaxis(flat, -1, 0), scheme, 0)
            # In the order of the `.tflite`: depthwise channels are its last axis, others the first.
            stored = np.moveaxis(fitted.values, 0, -1)[None] if _is_depthwise(at) else fitted.values
            packed = packing.pack(stored, at.channel_axis)
            real = np.moveaxis(fitted.real(), 0, -1).reshape(kernel.shape)
            work = cost.instructions(at.kind, at.macs, packed, inside=at.inside, kernel=at.kernel)
            self._known[place, text] = (real, packed.bytes, work)
        return self._known[place, text]


def _is_depthwise(place: Place) -> bool:
    return place.kind == "DEPTHWISE_CONV_2D"


def _divergence(wanted: np.ndarray, scores: np.ndarray) -> float:
    least = 1e-7
    logs = np.log(np.maximum(wanted, least)) - np.log(np.maximum(scores, least))
    return float((wanted * logs).sum(axis=1).mean())
