"""Third-party models, generated and compiled as firmware is, equal TFLite-Micro layer by layer.

Those with state are invoked one time after the other on what the last one left, and are reset
between.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgeasr.codegen.host import HostModel
from edgeasr.codegen.model import generate
from edgeasr.graph import Graph, Tensor, parse
from edgeasr.oracle import Oracle

_STATELESS = (
    "mlonmcu_cnn_s_quantized",
    "mlonmcu_micro_kws_m_quantized",
    "mlonmcu_micro_speech_custom_lr",
    "mlperf_tiny_kws_ref_model",
    "mltk_keyword_spotting_alexa",
    "mltk_keyword_spotting_on_off",
    "mltk_tinyml_keyword_spotting",
    "tflm_micro_speech_quantized",
)
_STATEFUL = (
    "mww_v1_alexa",
    "mww_v2_alexa",
    "mww_v2_hey_jarvis",
    "mww_v2_vad",
    "tflm_audio_preprocessor_int8",
    "tflm_keyword_scrambled",
)
_RESETS = (60, 61, 140)


def _inputs(tensor: Tensor, count: int) -> Iterator[np.ndarray]:
    """Yield inputs of a level and a spread of their own, with values at the ends of the range."""
    rng = np.random.default_rng(1)
    for _ in range(count):
        if tensor.dtype == "float32":
            yield rng.normal(0, 40, tensor.shape).astype(np.float32)
            continue
        info = np.iinfo(tensor.dtype)
        width = info.max - info.min
        level, spread = rng.uniform(info.min, info.max), width * rng.uniform(0.004, 0.35)
        values = np.rint(rng.normal(level, spread, tensor.shape))
        ends = rng.choice([info.min, info.max], tensor.shape)
        values = np.where(rng.random(tensor.shape) < 0.05, ends, values)
        yield values.clip(info.min, info.max).astype(tensor.dtype)


def _undefined(graph: Graph) -> dict[int, np.ndarray]:
    """Return which elements of a tensor TFLite-Micro never writes, for the tensors that have any.

    SignalEnergy leaves the bins outside its range as they happen to be; slices drop them later.
    """
    found: dict[int, np.ndarray] = {}
    for op in graph.ops:
        if op.kind == "CUSTOM:SignalEnergy":
            bins = np.arange(graph.tensor(op.outputs[0]).elements)
            first, end = op.options["start_index"], op.options["end_index"]
            found[op.outputs[0]] = (bins < first) | (bins >= end)
        elif op.kind == "CAST" and op.inputs[0] in found:
            found[op.outputs[0]] = found[op.inputs[0]]
    return found


def _bits(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values).view(f"u{values.itemsize}")


def _check(path: Path, count: int, resets: tuple[int, ...] = ()) -> None:
    name, content = path.stem, path.read_bytes()
    graph = parse(content, name)
    labels = [str(i) for i in range(graph.tensor(graph.outputs[0]).elements)]
    code = generate(graph, name=name, labels=labels, content=content, board="host", where=name)
    ours, reference = HostModel(code, graph), Oracle(content, graph=graph, keep_tensors=True)
    undefined = _undefined(graph)
    assert graph.stateful == bool(code.state_bytes) == bool(resets)
    for step, values in enumerate(_inputs(graph.tensor(graph.inputs[0]), count)):
        if step in resets:
            ours.reset()
            reference.reset()
        layers = ours.layers(values)
        reference.invoke(values)
        for layer, got in zip(code.layers, layers, strict=True):
            wanted = np.asarray(reference.tensor(layer.tensor)).reshape(got.shape)
            same = (_bits(got) == _bits(wanted)) | undefined.get(layer.tensor, np.False_)
            assert same.all(), f"{name}, inference {step}, layer {layer.index} {layer.kind}"
        assert len(layers) == len(code.layers)


@pytest.mark.parametrize("name", _STATELESS)
def test_every_layer_equals_tflite_micro(name: str, shared_data: Path) -> None:
    _check(shared_data / "models" / f"{name}.tflite", 20)


@pytest.mark.parametrize("name", _STATEFUL)
def test_state_equals_that_of_tflite_micro_over_many_inferences(
    name: str, shared_data: Path
) -> None:
    _check(shared_data / "models" / f"{name}.tflite", 220, _RESETS)
