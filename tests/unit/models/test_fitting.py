"""Training in seconds: a tiny network must learn to tell two sounds, and seeds must hold."""

import numpy as np
import pytest

from edgeasr.errors import InputError
from edgeasr.models import architectures, fitting
from edgeasr.models.examples import Examples
from edgeasr.models.fitting import Recipe
from edgeasr.models.picture import PictureSpec
from tests.conftest import need_package

need_package("keras")
NAMES = ("_silence_", "low", "high")
QUICK = Recipe(
    epochs=4, batch=32, rate=0.01, mix=0.2, averaging=0.8,
    picture=PictureSpec(warp=0.02, bend=0.5, frequency_mask=2),
)  # fmt: skip


def pictures(count, seed):
    """Return examples with energy in the low or the high features, or in none."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    features = rng.integers(0, 60, (count, 2, 24, 16)).astype(np.int16)
    features[labels == 1, :, 8:16, 2:6] += 400
    features[labels == 2, :, 8:16, 10:14] += 400
    words = tuple(NAMES[label] for label in labels)
    return Examples(features, labels, NAMES, words, np.zeros(count, bool))


def trained(seed=1, recipe=QUICK, on_epoch=lambda epoch: None):
    model = architectures.build("cnn_tiny", 24, 16, 3)
    return fitting.fit(model, pictures(192, seed), pictures(48, 9), recipe, on_epoch=on_epoch)


def test_a_small_network_learns_and_tells_of_each_epoch():
    told = []
    fitted = trained(on_epoch=told.append)
    assert [epoch.number for epoch in told] == [1, 2, 3, 4]
    assert max(epoch.balanced for epoch in told) >= 0.9
    val = pictures(48, 9)
    found = fitting.scores(fitted.model, fitted.scale(val.features[:, 0])).argmax(axis=1)
    best = told[fitted.best - 1]
    assert np.mean(found == val.labels) == pytest.approx(best.accuracy)


def test_the_scale_gives_mean_zero_and_variance_one():
    data = pictures(60, 3)
    real = fitting.scale_of(data)(data.features)
    assert real.mean() == pytest.approx(0, abs=1e-3)
    assert real.std() == pytest.approx(1, abs=1e-3)


def test_silence_alone_cannot_be_learned():
    flat = pictures(6, 1)
    flat.features[:] = 7
    with pytest.raises(InputError, match="all training features are equal"):
        fitting.scale_of(flat)


def test_patience_ends_a_training_that_no_longer_improves():
    from dataclasses import replace

    fitted = trained(recipe=replace(QUICK, epochs=12, patience=2))
    assert len(fitted.history) < 12
    assert len(fitted.history) - fitted.best == 2


def test_synthetic_clips_are_drawn_less_often_and_classes_evenly():
    data = pictures(90, 1)
    marked = Examples(data.features, data.labels, data.names, data.words, np.arange(90) % 2 == 0)
    recipe = Recipe(synthetic_share=0.25, silence_share=1.0)
    chance = fitting.Batches(marked, fitting.Scale(1, 0), recipe)._chance
    by_class = [chance[data.labels == label].sum() for label in range(3)]
    assert by_class == pytest.approx([1 / 3] * 3)
    assert chance[0] == pytest.approx(chance[3] / 4)
