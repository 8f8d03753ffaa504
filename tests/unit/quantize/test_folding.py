"""Folding and equalisation: the same function, with fewer layers and more even ranges."""

import numpy as np
import pytest

from edgeasr.errors import InputError
from edgeasr.models import architectures
from edgeasr.quantize import folding
from tests.conftest import need_package

keras = need_package("keras")


@pytest.fixture(scope="module")
def model():
    """Return a network whose normalisations are not the identity."""
    keras.backend.clear_session()  # so that layers are numbered from the start
    keras.utils.set_random_seed(5)
    made = architectures.build("ds_resnet", 24, 16, 4)
    rng = np.random.default_rng(5)
    for layer in made.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            shape = layer.gamma.shape
            layer.set_weights(
                [rng.uniform(0.3, 3, shape), rng.normal(0, 1, shape), rng.normal(0, 1, shape),
                 rng.uniform(0.2, 4, shape)]
            )  # fmt: skip
    return made


@pytest.fixture(scope="module")
def windows():
    return np.random.default_rng(6).normal(0, 1, (5, 24, 16, 1)).astype(np.float32)


def test_folding_keeps_the_function_and_leaves_no_normalisation(model, windows):
    folded = folding.fold(model)
    kinds = {type(layer).__name__ for layer in folded.layers}
    assert not kinds & {"BatchNormalization", "Dropout"}
    assert np.allclose(model(windows), folded(windows), atol=1e-5)
    assert not np.allclose(folded.get_layer("conv2d").bias, 0)


def ranges(layer):
    kernel = np.moveaxis(layer.get_weights()[0], folding.channel_axis(layer), 0)
    return np.abs(kernel).reshape(len(kernel), -1).max(axis=1)


def test_equalisation_keeps_the_function_and_evens_out_the_ranges(model, windows):
    folded = folding.fold(model)
    before = {layer.name: ranges(layer) for layer in folded.layers if folding.weighted(layer)}
    pairs = folding.equalize(folded)
    assert ("conv2d", "depthwise_conv2d") in pairs
    # A residual branches after its input: nothing may be moved across.
    assert not any(first == "conv2d_3" for first, _ in pairs)
    assert np.allclose(model(windows), folded(windows), atol=1e-4)

    def spread(values):
        return values.max() / values.min()

    first = folded.get_layer("conv2d")
    assert spread(ranges(first)) < spread(before["conv2d"])
    read = folded.get_layer("depthwise_conv2d")
    assert np.allclose(ranges(first), ranges(read), rtol=0.05)


def test_a_normalisation_that_folds_into_nothing_is_refused():
    window = keras.Input((8, 8, 1))
    x = keras.layers.BatchNormalization(name="first")(window)
    model = keras.Model(window, keras.layers.Conv2D(2, 3)(x))
    with pytest.raises(InputError, match='"first": batch normalisation after'):
        folding.fold(model)
    x = keras.layers.Conv2D(2, 3, activation="relu", name="conv")(window)
    model = keras.Model(window, keras.layers.BatchNormalization(name="late")(x))
    with pytest.raises(InputError, match='"late": batch normalisation after "conv"'):
        folding.fold(model)


def test_a_shared_layer_is_refused():
    window = keras.Input((8, 8, 2))
    shared = keras.layers.Conv2D(2, 3, padding="same", name="twice")
    model = keras.Model(window, shared(shared(window)))
    with pytest.raises(InputError, match='"twice": called 2 times'):
        folding.inputs(model.get_layer("twice"))


def test_no_scale_and_no_center_fold_too(windows):
    window = keras.Input((24, 16, 1))
    x = keras.layers.Conv2D(3, 3)(window)
    x = keras.layers.BatchNormalization(scale=False, center=False, name="norm")(x)
    model = keras.Model(window, x)
    model.get_layer("norm").set_weights([np.array([1.0, 2, 3]), np.array([0.5, 1, 2])])
    assert np.allclose(model(windows), folding.fold(model)(windows), atol=1e-5)
