"""Quantization-aware training: a trained float model learns to live on a grid.

The float model teaches: the training graph is drawn to its scores as well as to the labels (Hinton
et al., "Distilling the knowledge in a neural network", 2015). Batches are those of training.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from edgeasr.backend import load_keras
from edgeasr.models import fitting
from edgeasr.models.examples import Examples
from edgeasr.models.fitting import Batches, Epoch, Recipe, Scale
from edgeasr.quantize import folding, grids
from edgeasr.quantize.layer_weights import Learned
from edgeasr.quantize.schemes import Scheme
from edgeasr.quantize.simulation import TrainingGraph

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Schooling:
    """How a quantized model is trained on from a float one.

    epochs: as in a training of a float model. rate: highest learning rate, reached after a
    twentieth of the steps, lowered along a cosine to nothing. teaching: share of the loss that
    compares with the float model's scores at `temperature`; the rest compares with the labels.
    averaging: share of the old mean that the mean of all variables keeps at each step.
    """

    epochs: int = 20
    rate: float = 1e-3
    teaching: float = 0.7
    temperature: float = 2.0
    averaging: float = 0.995
    weight_decay: float = 0.0
    seed: int = 1


class Student:
    """A training graph with its optimiser, drawn to labels and to the scores of a float model."""

    def __init__(self, graph: TrainingGraph, teacher: keras.Model, schooling: Schooling, steps: int) -> None:
        import tensorflow as tf

        keras = load_keras()
        self.graph = graph
        self._schooling = schooling
        self._teacher = keras.Model(teacher.input, folding.before_softmax(teacher).output)
        schedule = keras.optimizers.schedules.CosineDecay(
            schooling.rate / 100, steps, alpha=0.001,
            warmup_target=schooling.rate, warmup_steps=max(1, steps // 20),
        )  # fmt: skip
        self._optimizer = keras.optimizers.AdamW(schedule, weight_decay=schooling.weight_decay)
        self._variables = graph.trainable_variables()
        self._means = [tf.Variable(v, trainable=False) for v in self._variables]
        self._count = tf.Variable(0.0, trainable=False)
        self._optimizer.build(self._variables)
        self._compiled = tf.function(self._take, autograph=False)

    def step(self, pictures: np.ndarray, targets: np.ndarray) -> float:
        return float(self._compiled(pictures, targets))

    def _take(self, pictures, targets):
        import tensorflow as tf

        variables, how = self._variables, self._schooling
        taught = self._teacher(pictures, training=False) / how.temperature
        with tf.GradientTape() as tape:
            logits = self.graph(pictures)
            entropy = tf.nn.softmax_cross_entropy_with_logits
            told = tf.reduce_mean(entropy(targets, logits))
            likeness = tf.reduce_mean(entropy(tf.nn.softmax(taught), logits / how.temperature))
            loss = (1 - how.teaching) * told + how.teaching * how.temperature**2 * likeness
        gradients = tape.gradient(loss, variables)
        self._optimizer.apply_gradients(zip(gradients, variables, strict=True))
        self._count.assign_add(1.0)
        keep = tf.minimum(how.averaging, self._count / (self._count + 10))
        for mean, value in zip(self._means, variables, strict=True):
            mean.assign(keep * mean + (1 - keep) * value)
        return loss

    def state(self) -> list[np.ndarray]:
        return [v.numpy() for v in self._variables]

    def set_state(self, values: list[np.ndarray]) -> None:
        for variable, value in zip(self._variables, values, strict=True):
            variable.assign(value)

    def set_means(self) -> None:
        """Put the mean of each variable in its place."""
        self.set_state([mean.numpy() for mean in self._means])
