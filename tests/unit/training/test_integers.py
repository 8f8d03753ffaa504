"""The training graph in integers: its logits are TFLite-Micro's, bit for bit."""

import math

import numpy as np
import pytest

from edgeasr import graph
from edgeasr.codegen import fixedpoint
from edgeasr.errors import InputError
from edgeasr.models import architectures
from edgeasr.quantize import IntegerModel, calibration, folding, grids, schemes
from edgeasr.quantize.simulation import TrainingGraph
from edgeasr.training import integers
from tests.conftest import need_package

keras = need_package("keras")
SCALE, OFFSET = 1 / 150, -2.0
RNG_SEED = 11
SHAPE = (24, 16)
LABELS = 4
TEXTS = (
    "uniform8", "uniform4/tensor", "uniform2/group:4", "pot4", "codebook16/tensor",
    "codebook8/channel", "ternary", "table:-90,-30,-8,0,8,30,90",
)  # fmt: skip


@pytest.fixture(scope="module")
def features():
    """Patches of 4 x 4, so that a mean over the picture still tells one window from another."""
    patches = np.random.default_rng(RNG_SEED).integers(0, 600, (20, 6, 4)).astype(np.int16)
    return patches.repeat(4, axis=1).repeat(4, axis=2)


def with_statistics(model):
    """Give each batch normalisation and bias random values, as of a training."""
    rng = np.random.default_rng(RNG_SEED)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            n = layer.gamma.shape
            gains = rng.uniform(1, 2, n), rng.normal(0, 0.05, n)
            layer.set_weights([*gains, rng.normal(0, 0.05, n), rng.uniform(0.3, 0.6, n)])
        elif len(layer.get_weights()) == 2:
            kernel, bias = layer.get_weights()
            layer.set_weights([kernel, rng.normal(0, 0.2, bias.shape)])
    return folding.fold(model)


@pytest.fixture(scope="module", params=["ds_resnet", "ds_cnn_s"])
def folded(request):
    keras.utils.set_random_seed(RNG_SEED)
    return with_statistics(architectures.build(request.param, *SHAPE, LABELS))


def on_grid(folded, text, features):
    made = TrainingGraph(folded, OFFSET)
    for weights in made.weights.values():
        scheme = schemes.parse(text)
        scheme = schemes.with_one_scale(scheme) if weights.dense else scheme
        weights.set_grid(grids.fit(weights.kernel(), scheme, 0))
    # Fewer windows than are looked at, so that some activations leave their ranges.
    made.calibrate(features[::2].astype(np.float32) * np.float32(SCALE) + np.float32(OFFSET))
    return made


def both(made, features):
    """Return the logits of the simulation and of the converted file, int8 [n, labels]."""
    content = made.convert()
    inputs = IntegerModel(content, SCALE, OFFSET).inputs(features)
    (softmax,) = [op for op in graph.parse(content).ops if op.kind == "SOFTMAX"]
    wanted = calibration.capture(content, softmax.inputs, inputs)[softmax.inputs[0]]
    return integers.logits(made, inputs), wanted.reshape(len(features), -1)


@pytest.mark.parametrize("text", TEXTS)
def test_logits_are_those_of_the_converted_file(folded, features, text):
    found, wanted = both(on_grid(folded, text, features), features)
    assert found.dtype == np.int8
    assert len(np.unique(wanted)) > LABELS
    assert np.array_equal(found, wanted)


def test_other_biases_and_scales_that_are_learned_are_followed(folded, features):
    made = on_grid(folded, "uniform4", features)
    before, _ = both(made, features)
    rng = np.random.default_rng(RNG_SEED)
    for weights in made.weights.values():
        weights.bias.assign(weights.bias + rng.normal(0, 0.1, weights.channels))
        weights._log_scales.assign_add(rng.normal(0, 0.05, weights.channels))
    found, wanted = both(made, features)
    assert np.array_equal(found, wanted)
    assert not np.array_equal(found, before)


def test_strides_dilation_multipliers_and_relu6_are_those_of_the_file(features):
    layers = keras.layers
    keras.utils.set_random_seed(RNG_SEED)
    window = keras.Input((*SHAPE, 1))
    x = layers.Conv2D(6, (4, 3), strides=(2, 1), padding="same", activation="relu")(window)
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, padding="valid")(x)
    x = layers.ReLU(6.0)(x)
    x = layers.Conv2D(8, 3, dilation_rate=2, padding="same")(x)
    x = layers.Flatten()(layers.DepthwiseConv2D((5, 3), strides=2, padding="same")(x))
    x = layers.Dense(LABELS)(layers.Dense(12, activation="relu")(x))
    folded = with_statistics(keras.Model(window, layers.Softmax()(x)))
    for layer in folded.layers[1:3]:
        layer.set_weights([4 * value for value in layer.get_weights()])  # so that 6 is passed
    made = on_grid(folded, "uniform8", features)
    found, wanted = both(made, features)
    assert np.array_equal(found, wanted)


def test_pooling_is_that_of_the_file(features):
    layers = keras.layers
    keras.utils.set_random_seed(RNG_SEED)
    window = keras.Input((*SHAPE, 1))
    x = layers.MaxPooling2D((3, 2), strides=1, padding="same")(layers.Conv2D(4, 3)(window))
    x = layers.AveragePooling2D((3, 4), strides=(2, 3), padding="same")(x)
    x = layers.Dense(LABELS)(layers.Flatten()(x))
    folded = with_statistics(keras.Model(window, layers.Softmax()(x)))
    found, wanted = both(on_grid(folded, "uniform8", features), features)
    assert np.array_equal(found, wanted)


def test_a_layer_without_integer_form_is_said(features):
    window = keras.Input((*SHAPE, 1))
    x = keras.layers.ZeroPadding2D(name="padded")(window)
    x = keras.layers.Flatten()(keras.layers.Conv2D(4, 3)(x))
    model = keras.Model(window, keras.layers.Softmax()(keras.layers.Dense(LABELS)(x)))
    made = on_grid(model, "uniform8", features)
    with pytest.raises(InputError, match=r'layer "padded" \(ZeroPadding2D\) has no integer form'):
        integers.logits(made, np.zeros((1, *SHAPE), np.int8))


def test_scaling_arrays_is_scaling_numbers():
    rng = np.random.default_rng(RNG_SEED)
    x = np.concatenate([rng.integers(-(1 << 31), 1 << 31, 400), np.arange(-50, 50)])
    for real in (0.0003, 0.25, 0.5, 0.9999999, 1.0, 1.7, 40.0):
        pair = fixedpoint.quantize_multiplier(real)
        wanted = [fixedpoint.scale(int(one), *pair) for one in x]
        assert np.array_equal(integers._scale(x, *pair), wanted)


@pytest.mark.parametrize("low, high", [(-1.0, 1.0), (0.0, 3.7), (-2.5, 0.0), (-0.3, 9.1)])
def test_a_range_becomes_a_scale_and_a_zero_point_within_it(low, high):
    scale, zero_point = integers.scale_and_zero_point(low, high)
    assert scale == pytest.approx((high - low) / 255)
    assert -128 <= zero_point <= 127
    assert math.isclose((-128 - zero_point) * scale, low, abs_tol=scale / 2 + 1e-9)
