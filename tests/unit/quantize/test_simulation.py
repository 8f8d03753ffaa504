"""The training graph: what it computes is what TFLite-Micro computes of what it converts to."""

import numpy as np
import pytest

from edgeasr import graph
from edgeasr.errors import CheckError, InputError
from edgeasr.models import architectures
from edgeasr.quantize import IntegerModel, folding, grids, schemes
from edgeasr.quantize.layer_weights import Learned
from edgeasr.quantize.simulation import TrainingGraph, _input_range
from tests.conftest import need_package

keras = need_package("keras")
SCALE, OFFSET = 1 / 150, -2.0
FIXED = Learned()
TEXTS = (
    "uniform8", "uniform4", "uniform3/tensor", "uniform2/group:4", "pot4", "pot3/tensor",
    "codebook16/tensor", "codebook8/channel", "codebook8/group:8", "ternary",
    "table:-90,-30,-8,0,8,30,90",
)  # fmt: skip


@pytest.fixture(scope="module")
def features():
    return np.random.default_rng(4).integers(0, 600, (40, 24, 16)).astype(np.int16)


def real(features):
    return features.astype(np.float32) * np.float32(SCALE) + np.float32(OFFSET)


@pytest.fixture(scope="module")
def folded():
    keras.backend.clear_session()  # so that layers are numbered from the start
    keras.utils.set_random_seed(3)
    model = architectures.build("ds_resnet", 24, 16, 4)
    rng = np.random.default_rng(3)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            shape = layer.gamma.shape
            layer.set_weights(
                [np.ones(shape), rng.normal(0, 0.3, shape), np.zeros(shape), np.ones(shape)]
            )
    return folding.fold(model)


def on_grid(folded, text, learned=FIXED):
    made = TrainingGraph(folded, OFFSET)
    for weights in made.weights.values():
        scheme = schemes.parse(text)
        if weights.dense:
            scheme = schemes.parse("uniform4/tensor")
        weights.set_grid(grids.fit(weights.kernel(), scheme, 0), learned)
    return made


@pytest.mark.parametrize("text", TEXTS)
def test_the_file_holds_the_levels_and_gives_the_graphs_scores(folded, features, text):
    made = on_grid(folded, text)
    made.calibrate(real(features))
    content = made.convert()
    parsed = graph.parse(content)
    assert {t.dtype for t in parsed.tensors} <= {"int8", "int32"}
    assert not any(op.kind in ("QUANTIZE", "DEQUANTIZE", "BATCH_MATMUL") for op in parsed.ops)
    allowed = schemes.parse(text).levels()
    for op in parsed.ops:
        if op.kind in ("CONV_2D", "DEPTHWISE_CONV_2D") and allowed is not None:
            assert np.isin(parsed.tensor(op.inputs[1]).data, allowed).all()
    model = IntegerModel(content, SCALE, OFFSET)
    wanted = model.scores(features).astype(np.float64) / 256 + 0.5
    logits = made.logits(model.real_inputs(features)).astype(np.float64)
    found = np.exp(logits - logits.max(axis=1, keepdims=True))
    found /= found.sum(axis=1, keepdims=True)
    # One rounding that falls the other way moves what follows it by a step or few.
    assert np.abs(found - wanted).mean() < 0.02


def test_weights_on_the_grid_are_those_of_the_fit(folded):
    for text in ("uniform4", "codebook8/channel", "pot4"):
        made = on_grid(folded, text)
        for weights in made.weights.values():
            if weights.dense:
                continue
            fitted = grids.fit(weights.kernel(), schemes.parse(text), 0)
            levels, scales = weights.integers()
            # In floats a weight in the middle of two levels may take either.
            assert np.mean(levels != fitted.values) < 0.01
            assert np.allclose(scales, np.broadcast_to(fitted.scales, scales.shape), rtol=1e-6)


def test_gradients_reach_weights_scales_and_levels(folded, features):
    import tensorflow as tf

    made = on_grid(folded, "codebook8/tensor", Learned(scales=True, levels=True))
    made.calibrate(real(features))
    weights = made.weights["conv2d"]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(made(real(features)[..., None]) ** 2)
    variables = weights.trainable_variables()
    assert len(variables) == 4
    for gradient in tape.gradient(loss, variables):
        assert float(tf.reduce_max(tf.abs(gradient))) > 0


def test_frozen_weights_keep_their_levels_and_free_ones_follow_on(folded):
    made = TrainingGraph(folded, OFFSET)
    weights = made.weights["conv2d_1"]
    weights.set_grid(grids.fit(weights.kernel(), schemes.parse("pot4"), 0), on=False)
    before = weights.integers()[0]
    mask = np.abs(weights.kernel()) > np.median(np.abs(weights.kernel()))
    weights.freeze(mask)
    assert np.array_equal(weights.frozen(), mask)
    weights.latent.assign(-2.0 * weights.latent)
    moved = weights.integers()[0]
    assert np.array_equal(moved[mask], before[mask])
    assert not np.array_equal(moved[~mask], before[~mask])
    kernel = weights.real(1.0)[0].numpy()
    real_kernel = np.moveaxis(kernel, -1, 0)
    assert np.allclose(real_kernel[~mask], weights.kernel()[~mask], atol=1e-6)


def test_free_layers_are_stored_as_the_nearest_int8(folded, features):
    made = TrainingGraph(folded, OFFSET)
    made.calibrate(real(features))
    parsed = graph.parse(made.convert())
    stored = parsed.tensor(parsed.ops[0].inputs[1])
    kernel = made.weights["conv2d"].kernel()
    fitted = grids.fit(kernel, schemes.parse("uniform8"), 0)
    assert np.array_equal(stored.data, fitted.values)
    assert np.abs(stored.data).reshape(len(kernel), -1).max(axis=1).min() == 127


def test_pooling_keeps_the_scale_that_it_finds(features):
    window = keras.Input((24, 16, 1))
    x = keras.layers.ReLU()(keras.layers.Conv2D(4, 3)(window))
    x = keras.layers.AveragePooling2D(2)(keras.layers.MaxPooling2D(2)(x))
    x = keras.layers.Dense(3)(keras.layers.Flatten()(x))
    made = on_grid(keras.Model(window, keras.layers.Softmax()(x)), "uniform4")
    made.calibrate(real(features))
    content = made.convert()
    kinds = [op.kind for op in graph.parse(content).ops]
    assert kinds[:3] == ["CONV_2D", "MAX_POOL_2D", "AVERAGE_POOL_2D"]
    assert "QUANTIZE" not in kinds
    model = IntegerModel(content, SCALE, OFFSET)
    logits = made.logits(model.real_inputs(features))
    agree = logits.argmax(axis=1) == model.scores(features).argmax(axis=1)
    assert agree.mean() > 0.9


def test_a_dense_layer_takes_one_scale(folded):
    weights = TrainingGraph(folded).weights["logits"]
    with pytest.raises(InputError, match=r"one scale for a dense layer.*/tensor"):
        weights.set_grid(grids.fit(weights.kernel(), schemes.parse("uniform4/channel"), 0))


def test_a_window_that_is_not_finite_is_said(folded, features):
    made = on_grid(folded, "uniform8")
    bad = real(features)
    bad[0, 0, 0] = np.inf
    with pytest.raises(CheckError, match="not finite"):
        made.calibrate(bad)


@pytest.mark.parametrize("low, high", [(-2.0, 2.7), (-1.3, 9.0), (-0.01, 5.0), (0.0, 1.0)])
def test_the_inputs_zero_is_a_whole_number_of_steps_from_its_start(low, high):
    start, end = _input_range(low, low + 0.1 * high, high)
    steps = -start / ((end - start) / 255)
    assert start == pytest.approx(low)
    if steps >= 1:
        assert steps == pytest.approx(round(steps))
        assert end >= high - 1e-9
