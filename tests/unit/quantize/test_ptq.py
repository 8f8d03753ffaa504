"""Quantization: integers only, the same answers, fewer bytes, and what is refused."""

import numpy as np
import pytest

from edgeasr import features as edgeasr_features
from edgeasr import graph
from edgeasr.errors import CheckError, InputError
from edgeasr.models import architectures
from edgeasr.quantize import (
    FloatModel,
    IntegerModel,
    calibration_problems,
    quantize,
    runnable,
)
from edgeasr.quantize.ptq import _convert
from tests.conftest import need_package

keras = need_package("keras")
SCALE, OFFSET = 1 / 150, -2.0


@pytest.fixture(scope="module")
def features():
    return np.random.default_rng(4).integers(0, 600, (24, 24, 16)).astype(np.int16)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(3)
    return architectures.build("ds_resnet", 24, 16, 4)


def real(features):
    return features.astype(np.float32) * np.float32(SCALE) + np.float32(OFFSET)


@pytest.fixture(scope="module")
def content(model, features):
    return quantize(model, real(features))


def test_all_tensors_are_integers_with_a_scale_per_channel(content):
    made = graph.parse(content)
    assert {t.dtype for t in made.tensors} <= {"int8", "int32"}
    convolutions = [op for op in made.ops if op.kind == "CONV_2D"]
    assert convolutions
    assert all(made.tensor(op.inputs[1]).quantization.per_channel for op in convolutions)
    assert made.tensor(made.inputs[0]).shape[0] == 1


def test_int8_scores_follow_the_float_ones(model, features, content):
    whole = IntegerModel(content, SCALE, OFFSET).scores(features)
    exact = np.asarray(model(real(features)[..., None], training=False))
    assert np.abs((whole + 128.0) / 256 - exact).max() < 0.06


def test_the_compact_file_is_smaller_and_gives_the_same_bits(model, features, content):
    raw = _convert(model, "int8", real(features))
    assert len(content) < 0.85 * len(raw)
    plain, small = (IntegerModel(c, SCALE, OFFSET).scores(features[:6]) for c in (raw, content))
    assert np.array_equal(plain, small)


@pytest.fixture(scope="module")
def lively():
    """A model whose scores differ, as those of a new one do not: its dense layer is not all 0."""
    keras.utils.set_random_seed(5)
    made = architectures.build("ds_resnet", 24, 16, 12)
    rng = np.random.default_rng(5)
    for layer in made.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            mean = rng.normal(0, 0.2, mean.shape)
            layer.set_weights([gamma, rng.normal(0, 0.3, beta.shape), mean, variance])
        if isinstance(layer, keras.layers.Dense):
            layer.set_weights([rng.normal(0, 2, w.shape) for w in layer.get_weights()])
    return made


@pytest.fixture(scope="module")
def wide(lively, features):
    return quantize(lively, real(features), "int16")


def test_int16_activations_have_int8_weights_and_no_zero_points(wide):
    made = graph.parse(wide)
    assert {t.dtype for t in made.tensors} <= {"int8", "int16", "int32", "int64"}
    for op in made.ops:
        assert made.tensor(op.outputs[0]).dtype == "int16"
        assert made.tensor(op.outputs[0]).quantization.zero_point == 0
        if op.kind in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
            assert made.tensor(op.inputs[1]).dtype == "int8"


def test_int16_scores_are_nearer_to_the_float_ones(lively, features, wide):
    exact = np.asarray(lively(real(features)[..., None], training=False))
    assert np.ptp(exact, axis=1).max() > 0.3
    content = quantize(lively, real(features))
    narrow = (IntegerModel(content, SCALE, OFFSET).scores(features) + 128.0) / 256
    scores = IntegerModel(wide, SCALE, OFFSET).scores(features)
    assert scores.dtype == np.int16
    errors = [np.abs(found - exact).max() for found in (narrow, scores / 32768)]
    assert errors[1] < 0.02 and errors[1] < errors[0] / 4, errors


def test_the_engine_gives_tflite_micros_bits_on_int16(wide, features):
    from edgeasr.codegen.host import HostModel
    from edgeasr.codegen.model import generate

    made = graph.parse(wide)
    labels = [str(i) for i in range(12)]
    code = generate(made, name="w", labels=labels, content=wide, board="host", where="w")
    engine, reference = HostModel(code, made), IntegerModel(wide, SCALE, OFFSET)
    windows = edgeasr_features.quantize(reference.feature_quantization, features[:8])
    ours = np.stack([engine.invoke(window).ravel() for window in windows])
    assert np.array_equal(ours, reference.scores(features[:8]))


@pytest.mark.parametrize("activations", ["dynamic", "float16"])
def test_weights_alone_run_in_litert(lively, features, activations):
    need_package("ai_edge_litert")
    made = quantize(lively, None, activations)
    # The converter leaves weights of fewer than 1,024 values, and depthwise ones, in float32.
    stored = {
        t.dtype for t in graph.parse(made).tensors if t.data is not None and t.elements > 1500
    }
    assert stored == {"int8" if activations == "dynamic" else "float16"}
    # tflite-runtime 2.14 has no FULLY_CONNECTED of version 12: a scale per unit, floats around it.
    assert all(op.version < 12 for op in graph.parse(made).ops if op.kind == "FULLY_CONNECTED")
    runner = runnable(made, activations, SCALE, OFFSET)
    assert isinstance(runner, FloatModel)
    scores = runner.scores(features)
    exact = np.asarray(lively(real(features)[..., None], training=False))
    assert scores.shape == exact.shape
    assert np.abs(scores - exact).max() < (0.05 if activations == "dynamic" else 2e-3)


def test_a_model_of_integers_is_not_taken_for_one_of_floats(content):
    with pytest.raises(InputError, match="is int8; float32 is needed, as of"):
        FloatModel(content, SCALE, OFFSET)


def test_activations_of_another_name_are_refused(model):
    with pytest.raises(
        InputError,
        match='activations "int4" not found; allowed: dynamic, float16, float32, int16, int8',
    ):
        quantize(model, None, "int4")


def test_integers_need_windows(model):
    with pytest.raises(InputError, match=r"windows of shape \[0\]; \[n, 24, 16\]"):
        quantize(model, None, "int16")


def test_litert_runs_the_compact_file(features, content):
    interpreter = need_package("ai_edge_litert.interpreter")
    reference = interpreter.OpResolverType.BUILTIN_REF
    runner = interpreter.Interpreter(model_content=content, experimental_op_resolver_type=reference)
    runner.allocate_tensors()
    assert runner.get_input_details()[0]["dtype"] is np.int8
    runner.set_tensor(runner.get_input_details()[0]["index"], np.zeros((1, 24, 16, 1), np.int8))
    runner.invoke()


def test_a_float_operation_is_refused_by_name(model, features, monkeypatch):
    import tensorflow as tf

    def float_model(model, activations, calibration):
        call = tf.function(lambda x: model(x, training=False))
        spec = tf.TensorSpec((1, 24, 16, 1), tf.float32)
        return tf.lite.TFLiteConverter.from_concrete_functions(
            [call.get_concrete_function(spec)]
        ).convert()

    monkeypatch.setattr("edgeasr.quantize.ptq._convert", float_model)
    with pytest.raises(CheckError, match=r"operation CONV_2D #0 has tensor .* of float32"):
        quantize(model, real(features))


def test_a_float_model_is_not_taken_for_an_int8_one():
    import tensorflow as tf

    inputs = keras.Input(batch_shape=(1, 8))
    dense = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    call = tf.function(lambda x: dense(x)).get_concrete_function(tf.TensorSpec((1, 8), tf.float32))
    content = tf.lite.TFLiteConverter.from_concrete_functions([call]).convert()
    with pytest.raises(InputError, match="is float32; int8 or int16, quantized, is needed"):
        IntegerModel(content, 1.0, 0.0)


@pytest.mark.parametrize(
    ("shape", "message"),
    [((3, 24, 15), r"\[n, 24, 16\]"), ((0, 24, 16), "n of 1 or more"), ((24, 16), r"\[24, 16\]")],
)
def test_windows_of_another_shape_are_refused(model, shape, message):
    with pytest.raises(InputError, match=message):
        quantize(model, np.zeros(shape, np.float32))


def test_windows_that_are_not_finite_are_refused(model):
    with pytest.raises(InputError, match="not a finite number"):
        quantize(model, np.full((2, 24, 16), np.nan, np.float32))


def test_little_or_silent_calibration_is_named():
    few = calibration_problems(np.random.default_rng(1).normal(size=(3, 24, 16)))
    assert [p for p in few if p.startswith("calibration: 3 windows; at least 100")]
    silent = calibration_problems(np.full((200, 24, 16), -2.0))
    assert silent == [
        "calibration: all values are -2, as of silence; every activation would be cut to that; "
        "give recordings of speech"
    ]
    assert calibration_problems(np.random.default_rng(1).normal(size=(200, 24, 16))) == []


def test_calibration_that_is_mostly_silent_is_named():
    windows = np.random.default_rng(1).normal(size=(200, 24, 16))
    windows[:120] = 0.5
    assert calibration_problems(windows) == [
        "calibration: 120 of 200 windows are silent, and speech is left to few; "
        "give more recordings of speech"
    ]
    windows[:] = np.arange(200)[:, None, None]
    assert (
        "every window holds one value all over, as of silence" in calibration_problems(windows)[0]
    )


def test_a_class_without_calibration_is_named():
    windows = np.random.default_rng(1).normal(size=(200, 24, 16))
    labels = np.arange(200) % 2 * 3
    assert calibration_problems(windows, labels, ("yes", "no", "up", "down")) == [
        'calibration: no window of "no", "up"; the ranges of activations may cut what only these '
        "classes reach; give recordings of all classes"
    ]
    many = calibration_problems(windows, labels, [f"word {i}" for i in range(20)])
    assert '"word 11" and 8 more classes;' in many[0]
    assert calibration_problems(windows, labels // 3, ("yes", "no")) == []
