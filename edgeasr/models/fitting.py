"""Examples make a recogniser: batches drawn evenly by class, a schedule, and the best weights.

Deterministic on one computer with one thread: seeds fix the batches, their changes and the first
weights. TensorFlow's threaded sums are not in a fixed order, so with more threads two runs differ
in the last bits and, after many steps, a little in accuracy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from edgeasr.backend import load_keras
from edgeasr.errors import InputError
from edgeasr.models import picture
from edgeasr.models.examples import Examples
from edgeasr.models.picture import PictureSpec

if TYPE_CHECKING:
    import keras

_INFER_BATCH = 256
# Batches that give batch normalisation its statistics: 0.97 ** 80 of the old ones remain.
_STATISTICS_BATCHES = 80


@dataclass(frozen=True)
class Recipe:
    """How a model is trained.

    epochs: an epoch shows as many pictures as there are training clips. rate: highest learning
    rate, reached after a tenth of the steps and lowered along a cosine to `last_rate` of it.
    averaging: share of the old mean that the mean of the weights keeps at each step; it is the mean
    that is measured and kept, with the statistics of batch normalisation taken anew (Izmailov et
    al., "Averaging weights leads to wider optima", 2018): an unknown speaker is understood better
    by it than by weights that came to rest. mix: strength of
    mixup, 0 for none, in half of the batches. smoothing: of labels. words_weight: loss of a second
    output, dropped afterwards, that names every word spoken, also those that the task calls
    unknown. unknown_share, silence_share: how often these are drawn, against a word's 1.
    synthetic_share: how often a synthetic clip is drawn, against a recording's 1.
    patience: epochs without a better result on val after which training ends, 0 for never.
    """

    epochs: int = 80
    batch: int = 64
    rate: float = 4e-3
    last_rate: float = 0.1
    weight_decay: float = 0.02
    smoothing: float = 0.05
    mix: float = 0.4
    words_weight: float = 0.3
    unknown_share: float = 3.0
    silence_share: float = 0.7
    synthetic_share: float = 0.3
    patience: int = 0
    averaging: float = 0.999
    seed: int = 1
    picture: PictureSpec = field(default_factory=PictureSpec)


@dataclass(frozen=True)
class Scale:
    """real input = int16 feature * scale + offset."""

    scale: float
    offset: float

    def __call__(self, features: np.ndarray) -> np.ndarray:
        return features.astype(np.float32) * np.float32(self.scale) + np.float32(self.offset)


@dataclass(frozen=True)
class Epoch:
    """What an epoch came to: mean loss in training, accuracy on val (clips and class mean)."""

    number: int
    loss: float
    accuracy: float
    balanced: float


@dataclass(frozen=True)
class Fitted:
    """A trained model with the scale of its input and its history; best: the epoch it is from."""

    model: keras.Model
    scale: Scale
    history: tuple[Epoch, ...]
    best: int


def scale_of(examples: Examples) -> Scale:
    """Return the scale that gives the examples mean 0 and variance 1."""
    deviation = float(examples.features.std(dtype=np.float64))
    if deviation == 0:
        raise InputError(
            "all training features are equal, as of silence; look at the recordings and the "
            "front end"
        )
    return Scale(1 / deviation, -float(examples.features.mean(dtype=np.float64)) / deviation)


def fit(
    model: keras.Model,
    train: Examples,
    val: Examples,
    recipe: Recipe = Recipe(),
    *,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> Fitted:
    """Train a model of edgeasr.models.build and give it the weights that did best on val.

    The measure is the mean accuracy over classes. Weights are averaged over steps before they are
    measured. Ctrl-C passes through: the caller has written nothing yet.
    """
    keras = load_keras()
    scale = scale_of(train)
    batches = Batches(train, scale, recipe)
    learner = _Learner(model, batches, recipe)
    epochs: list[Epoch] = []
    best = (-math.inf, 0, model.get_weights())
    for number in range(1, recipe.epochs + 1):
        losses = [learner.step(*batch) for batch in batches.epoch()]
        live = model.get_weights()
        learner.averaged(batches)
        right = scores(model, scale(val.features[:, 0])).argmax(axis=1) == val.labels
        recalls = [right[val.labels == n].mean() for n in np.unique(val.labels)]
        epoch = Epoch(number, float(np.mean(losses)), float(right.mean()), float(np.mean(recalls)))
        epochs.append(epoch)
        on_epoch(epoch)
        if epoch.balanced > best[0]:
            best = (epoch.balanced, number, model.get_weights())
        model.set_weights(live)
        if recipe.patience and number - best[1] >= recipe.patience:
            break
    model.set_weights(best[2])
    keras.backend.clear_session(free_memory=False)
    return Fitted(model, scale, tuple(epochs), best[1])


def scores(model: keras.Model, windows: np.ndarray) -> np.ndarray:
    """Return float scores [clips, labels] for real windows [clips, frames, features]."""
    parts = np.array_split(windows[..., None], max(1, math.ceil(len(windows) / _INFER_BATCH)))
    return np.concatenate([np.asarray(model(part, training=False)) for part in parts])


class Batches:
    """Draws pictures with their targets: every class as often as the recipe says."""

    def __init__(self, examples: Examples, scale: Scale, recipe: Recipe) -> None:
        self._examples = examples
        self._scale = scale
        self._recipe = recipe
        self._rng = np.random.default_rng([recipe.seed, 0])
        shares = np.ones(len(examples.names))
        for name, share in (
            ("_unknown_", recipe.unknown_share),
            ("_silence_", recipe.silence_share),
        ):
            if name in examples.names:
                shares[examples.names.index(name)] = share
        weights = np.where(examples.synthetic, recipe.synthetic_share, 1.0)
        totals = np.bincount(examples.labels, weights, len(examples.names))
        weights *= (shares / np.maximum(totals, 1e-9))[examples.labels]
        self._chance = weights / weights.sum()
        self.vocabulary = sorted(set(examples.words))
        self._words = np.array([self.vocabulary.index(word) for word in examples.words])
        self.steps = max(1, len(examples) // recipe.batch)

    def epoch(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Give pictures [batch, frames, features, 1] and targets [batch, labels + vocabulary]."""
        for _ in range(self.steps):
            yield self._batch()

    def generator_state(self) -> dict[str, object]:
        """Return the state of the generator of random numbers, for JSON."""
        return self._rng.bit_generator.state

    def set_generator_state(self, state: dict[str, object]) -> None:
        self._rng.bit_generator.state = state

    def _batch(self) -> tuple[np.ndarray, np.ndarray]:
        recipe, rng, examples = self._recipe, self._rng, self._examples
        clips = rng.choice(len(examples), recipe.batch, p=self._chance)
        takes = rng.integers(0, examples.features.shape[1], recipe.batch)
        pictures = self._scale(examples.features[clips, takes])
        pictures = picture.change(pictures, recipe.picture, rng)
        targets = np.concatenate(
            [
                self._targets(examples.labels[clips], len(examples.names)),
                self._targets(self._words[clips], len(self.vocabulary)),
            ],
            axis=1,
        )
        if recipe.mix and rng.random() < 0.5:
            pictures, targets = picture.mix(pictures, targets, recipe.mix, rng)
        return pictures[..., None], targets

    def _targets(self, classes: np.ndarray, count: int) -> np.ndarray:
        smoothing = np.float32(self._recipe.smoothing)
        return np.eye(count, dtype=np.float32)[classes] * (1 - smoothing) + smoothing / count


class _Learner:
    """Takes steps of AdamW on the task's loss and the words' loss, and averages the weights."""

    def __init__(self, model: keras.Model, batches: Batches, recipe: Recipe) -> None:
        import tensorflow as tf

        keras = load_keras()
        keras.utils.set_random_seed(recipe.seed)
        self._model = model
        words = keras.layers.Dense(len(batches.vocabulary))
        outputs = [model.get_layer("logits").output, words(model.get_layer("embedding").output)]
        network = keras.Model(model.input, outputs)
        steps = batches.steps * recipe.epochs
        schedule = keras.optimizers.schedules.CosineDecay(
            recipe.rate / 100,
            steps,
            alpha=recipe.last_rate,
            warmup_target=recipe.rate,
            warmup_steps=max(1, steps // 10),
        )
        optimizer = keras.optimizers.AdamW(schedule, weight_decay=recipe.weight_decay)
        optimizer.build(network.trainable_variables)
        labels = model.output.shape[-1]
        cross_entropy = tf.nn.softmax_cross_entropy_with_logits
        averages = [tf.Variable(v, trainable=False) for v in model.trainable_variables]
        count = tf.Variable(0.0, trainable=False)

        @tf.function(reduce_retracing=True)
        def step(pictures, targets):
            with tf.GradientTape() as tape:
                task, spoken = network(pictures, training=True)
                loss = tf.reduce_mean(cross_entropy(targets[:, :labels], task))
                extra = tf.reduce_mean(cross_entropy(targets[:, labels:], spoken))
                total = loss + recipe.words_weight * extra
            gradients = tape.gradient(total, network.trainable_variables)
            optimizer.apply_gradients(zip(gradients, network.trainable_variables, strict=True))
            count.assign_add(1.0)
            keep = tf.minimum(recipe.averaging, count / (count + 10))
            for average, value in zip(averages, model.trainable_variables, strict=True):
                average.assign(keep * average + (1 - keep) * value)
            return loss

        @tf.function(reduce_retracing=True)
        def look(pictures):
            model(pictures, training=True)

        self._step = step
        self._look = look
        self._averages = averages

    def step(self, pictures: np.ndarray, targets: np.ndarray) -> float:
        return float(self._step(pictures, targets))

    def averaged(self, batches: Batches) -> None:
        """Put the averaged weights in the model, with batch statistics that belong to them."""
        for value, average in zip(self._model.trainable_variables, self._averages, strict=True):
            value.assign(average)
        for _ in range(min(_STATISTICS_BATCHES, batches.steps)):
            self._look(next(batches.epoch())[0])
