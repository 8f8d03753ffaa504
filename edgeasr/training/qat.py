"""Quantization-aware training: a trained float model learns to live on a grid.

The float model teaches. What a stage comes to is the mean of its variables over the last steps; val
is only watched. An interrupted stage goes on from its last whole epoch.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgeasr.backend import load_keras
from edgeasr.models.fitting import Batches, Epoch
from edgeasr.quantize import folding
from edgeasr.quantize.simulation import TrainingGraph
from edgeasr.training.recipes import Schooling

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, eq=False)
class Lessons:
    """What all stages learn from and are measured by.

    batches: of training. calibration, val: real windows, float32 [n, frames, features]; labels: of
    val, int [n].
    """

    batches: Batches
    calibration: np.ndarray
    val: np.ndarray
    labels: np.ndarray
    on_epoch: Callable[[Epoch, int], None] = lambda epoch, total: None


def run_stage(
    graph: TrainingGraph,
    teacher: keras.Model,
    lessons: Lessons,
    schooling: Schooling,
    checkpoint: Path | None = None,
) -> list[Epoch]:
    """Train what of the graph is not frozen, leave it at the mean of its steps; return the history.

    checkpoint: file kept while the stage runs, so that the same call goes on after an
    interruption; removed by the caller. Ctrl-C passes through.
    """
    student = _Student(graph, teacher, schooling, lessons.batches.steps * schooling.epochs)
    stage = _Stage(student, lessons, checkpoint)
    for number in range(len(stage.history) + 1, schooling.epochs + 1):
        stage.epoch(number, schooling.epochs)
    stage.finish()
    return stage.history


class _Stage:
    """Counts epochs, and keeps its own file."""

    def __init__(self, student: _Student, lessons: Lessons, file: Path | None) -> None:
        self._student, self._lessons, self._file = student, lessons, file
        self.history: list[Epoch] = []
        self._ended = student.graph_state()
        if file and (known := load_arrays(file)):
            self._resume(*known)

    def epoch(self, number: int, total: int) -> None:
        student, lessons = self._student, self._lessons
        labels = student.labels
        losses = [
            student.step(pictures, np.ascontiguousarray(targets[:, :labels]))
            for pictures, targets in lessons.batches.epoch()
        ]
        live = student.graph_state()
        student.take_means()
        student.graph.calibrate(lessons.calibration)
        measured = _measure(student.graph, lessons, number, float(np.mean(losses)))
        self.history.append(measured)
        lessons.on_epoch(measured, total)
        self._ended = student.graph_state()
        # Ranges go on from the mean's: those of both hardly differ.
        student.set_graph_state([*live[:-1], student.graph.ranges()])
        if self._file:
            self._save()

    def finish(self) -> None:
        self._student.set_graph_state(self._ended)

    def _save(self) -> None:
        arrays = {f"own{n}": v for n, v in enumerate(self._student.own_state())}
        arrays |= {f"graph{n}": v for n, v in enumerate(self._student.graph_state())}
        arrays |= {f"ended{n}": v for n, v in enumerate(self._ended)}
        facts = {
            "history": [asdict(epoch) for epoch in self.history],
            "generator": self._lessons.batches.generator_state(),
        }
        save_arrays(self._file, arrays, facts)

    def _resume(self, arrays: dict[str, np.ndarray], facts: dict[str, object]) -> None:
        def those(kind: str) -> list[np.ndarray]:
            return [arrays[f"{kind}{n}"] for n in range(len(arrays)) if f"{kind}{n}" in arrays]

        self._student.set_own_state(those("own"))
        self._student.set_graph_state(those("graph"))
        self._ended = those("ended")
        self.history = [Epoch(**epoch) for epoch in facts["history"]]
        self._lessons.batches.set_generator_state(facts["generator"])


class _Student:
    """A training graph with its optimiser, drawn to labels and to the scores of a float model."""

    def __init__(
        self, graph: TrainingGraph, teacher: keras.Model, schooling: Schooling, steps: int
    ) -> None:
        import tensorflow as tf

        keras = load_keras()
        self.graph = graph
        self.labels = int(teacher.output.shape[-1])
        self._schooling = schooling
        self._teacher = keras.Model(teacher.input, folding.before_softmax(teacher).output)
        schedule = keras.optimizers.schedules.CosineDecay(
            schooling.rate / 100, steps, alpha=0.001,
            warmup_target=schooling.rate, warmup_steps=max(1, steps // 20),
        )  # fmt: skip
        self._optimizer = keras.optimizers.Adam(schedule)
        self._variables = graph.trainable_variables()
        self._optimizer.build(self._variables)
        self._means = [tf.Variable(v, trainable=False) for v in self._variables]
        self._count = tf.Variable(0.0, trainable=False)
        self._compiled = tf.function(self._take, autograph=False)

    def step(self, pictures: np.ndarray, targets: np.ndarray) -> float:
        return float(self._compiled(pictures, targets))

    def _take(self, pictures, targets):
        import tensorflow as tf

        variables, how = self._variables, self._schooling
        taught = tf.nn.softmax(self._teacher(pictures, training=False) / how.temperature)
        with tf.GradientTape() as tape:
            logits = self.graph(pictures)
            entropy = tf.nn.softmax_cross_entropy_with_logits
            told = tf.reduce_mean(entropy(targets, logits))
            likeness = tf.reduce_mean(entropy(taught, logits / how.temperature))
            loss = (1 - how.teaching) * told + how.teaching * how.temperature**2 * likeness
        gradients = tape.gradient(loss, variables)
        self._optimizer.apply_gradients(zip(gradients, variables, strict=True))
        self._count.assign_add(1.0)
        keep = tf.minimum(how.averaging, self._count / (self._count + 10))
        for mean, value in zip(self._means, variables, strict=True):
            mean.assign(keep * mean + (1 - keep) * value)
        return loss

    def graph_state(self) -> list[np.ndarray]:
        """Return what is trained, and the ranges of activations last."""
        return [v.numpy() for v in self._variables] + [self.graph.ranges()]

    def set_graph_state(self, values: Sequence[np.ndarray]) -> None:
        _assign(self._variables, values[:-1])
        self.graph.set_ranges(values[-1])

    def own_state(self) -> list[np.ndarray]:
        return [v.numpy() for v in self._own()]

    def set_own_state(self, values: Sequence[np.ndarray]) -> None:
        _assign(self._own(), values)

    def _own(self) -> list:
        return [*self._optimizer.variables, *self._means, self._count]

    def take_means(self) -> None:
        """Put the mean of each variable in its place."""
        _assign(self._variables, [mean.numpy() for mean in self._means])


def _assign(variables: Sequence, values: Sequence[np.ndarray]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _measure(graph: TrainingGraph, lessons: Lessons, number: int, loss: float) -> Epoch:
    """Return the epoch's results on val."""
    right = graph.logits(lessons.val).argmax(axis=1) == lessons.labels
    recalls = [right[lessons.labels == n].mean() for n in np.unique(lessons.labels)]
    return Epoch(number, loss, float(right.mean()), float(np.mean(recalls)))


def save_arrays(file: Path, arrays: dict[str, np.ndarray], facts: dict[str, object]) -> None:
    """Write arrays and facts into one `.npz`, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    text = np.frombuffer(json.dumps(facts).encode(), np.uint8)
    with tempfile.TemporaryDirectory(dir=file.parent) as scratch:
        part = Path(scratch) / "state.npz"
        np.savez(part, facts=text, **arrays)
        part.replace(file)


def load_arrays(file: Path) -> tuple[dict[str, np.ndarray], dict[str, object]] | None:
    """Read what `save_arrays` wrote; None when there is none, or it is damaged."""
    try:
        with np.load(file, allow_pickle=False) as kept:
            arrays = {name: kept[name] for name in kept.files}
        return arrays, json.loads(arrays.pop("facts").tobytes())
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None
