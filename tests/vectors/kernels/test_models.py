"""Third-party models, generated and compiled as firmware is, equal TFLite-Micro layer by layer."""

from pathlib import Path

import numpy as np
import pytest

from edgeasr.codegen.host import HostModel
from edgeasr.codegen.model import generate
from edgeasr.graph import Tensor, parse
from edgeasr.oracle import Oracle

_MODELS = (
    "mlonmcu_cnn_s_quantized",
    "mlonmcu_micro_kws_m_quantized",
    "mlonmcu_micro_speech_custom_lr",
    "mlperf_tiny_kws_ref_model",
    "mltk_keyword_spotting_alexa",
    "mltk_keyword_spotting_on_off",
    "mltk_tinyml_keyword_spotting",
    "tflm_micro_speech_quantized",
)


def _random_input(rng: np.random.Generator, tensor: Tensor) -> np.ndarray:
    if tensor.dtype == "float32":
        return rng.normal(0, 40, tensor.shape).astype(np.float32)
    ends = rng.choice([-128, 127], tensor.shape)
    values = rng.normal(rng.uniform(-128, 127), rng.uniform(1, 90), tensor.shape)
    return np.where(rng.random(tensor.shape) < 0.05, ends, values).clip(-128, 127).astype(np.int8)


@pytest.mark.parametrize("name", _MODELS)
def test_every_layer_equals_tflite_micro(name: str, shared_data: Path) -> None:
    content = (shared_data / "models" / f"{name}.tflite").read_bytes()
    graph = parse(content, name)
    classes = graph.tensor(graph.outputs[0]).elements
    labels = [str(i) for i in range(classes)]
    code = generate(graph, name=name, labels=labels, content=content, board="host", where=name)
    ours, reference = HostModel(code, graph), Oracle(content, graph=graph, keep_tensors=True)
    rng = np.random.default_rng(1)
    for _ in range(5):
        values = _random_input(rng, graph.tensor(graph.inputs[0]))
        layers = ours.layers(values)
        reference.invoke(values)
        for layer, got in zip(code.layers, layers, strict=True):
            expected = np.asarray(reference.tensor(layer.tensor)).reshape(got.shape)
            assert np.array_equal(got, expected), f"{name} layer {layer.index} {layer.kind}"
        assert len(layers) == len(code.layers)
