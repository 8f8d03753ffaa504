"""Quantization: integers only, the same answers, fewer bytes, and what is refused."""

import numpy as np
import pytest

from edgeasr import graph
from edgeasr.errors import CheckError, InputError
from edgeasr.models import architectures
from edgeasr.quantize import Int8Model, calibration_problems, quantize
from edgeasr.quantize.ptq import _convert

keras = pytest.importorskip("keras")
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
    whole = Int8Model(content, SCALE, OFFSET).scores(features)
    exact = np.asarray(model(real(features)[..., None], training=False))
    assert np.abs((whole + 128.0) / 256 - exact).max() < 0.06


def test_the_compact_file_is_smaller_and_gives_the_same_bits(model, features, content):
    raw = _convert(model, real(features))
    assert len(content) < 0.85 * len(raw)
    plain, small = (Int8Model(c, SCALE, OFFSET).scores(features[:6]) for c in (raw, content))
    assert np.array_equal(plain, small)


def test_litert_runs_the_compact_file(features, content):
    interpreter = pytest.importorskip("ai_edge_litert.interpreter")
    reference = interpreter.OpResolverType.BUILTIN_REF
    runner = interpreter.Interpreter(model_content=content, experimental_op_resolver_type=reference)
    runner.allocate_tensors()
    assert runner.get_input_details()[0]["dtype"] is np.int8
    runner.set_tensor(runner.get_input_details()[0]["index"], np.zeros((1, 24, 16, 1), np.int8))
    runner.invoke()


def test_a_float_operation_is_refused_by_name(model, features, monkeypatch):
    import tensorflow as tf

    def float_model(model, calibration):
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
    with pytest.raises(InputError, match="is float32; int8 is needed"):
        Int8Model(content, 1.0, 0.0)


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
