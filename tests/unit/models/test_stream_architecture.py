"""ds_stream as integers has a streaming form that takes a fifth of a window's products."""

import numpy as np
import pytest

from edgeasr.codegen import incremental
from edgeasr.graph import parse
from edgeasr.models import architectures

tf = pytest.importorskip("tensorflow")


def test_qualifies_for_incremental_inference() -> None:
    model = architectures.build("ds_stream", 49, 40, 12, batch_size=1)
    rng = np.random.default_rng(1)
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: (
        [rng.normal(size=(1, 49, 40, 1)).astype(np.float32)] for _ in range(2)
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    made = incremental.transform(parse(converter.convert()), 49, 4)
    assert made.macs < made.window_macs / 5
    assert made.steps == 13
