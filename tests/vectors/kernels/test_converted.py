"""Whole models of TensorFlow's converter give TFLite-Micro's bits, time after time."""

import numpy as np
import pytest

from edgeasr.codegen.host import HostModel
from edgeasr.codegen.model import generate
from edgeasr.graph import parse
from edgeasr.oracle import Oracle
from tests.vectors.kernels.converted import convert

# The converter has no LSTM of int16 activations; test_kernels tries its kernel.
_CONVERTED = {
    ("lstm", "int8"): "UNIDIRECTIONAL_SEQUENCE_LSTM",
    ("gru", "int8"): "SPLIT",
    ("gru", "int16"): "SPLIT",
    ("attention", "int8"): "BATCH_MATMUL",
    ("attention", "int16"): "BATCH_MATMUL",
    ("decoder", "int8"): "TRANSPOSE_CONV",
    ("decoder", "int16"): "TRANSPOSE_CONV",
}
_INFERENCES, _RESET = 60, 40


@pytest.mark.slow
@pytest.mark.parametrize(("name", "dtype"), _CONVERTED)
def test_successive_inferences_equal_tflite_micro(name: str, dtype: str) -> None:
    content = convert(name, dtype)
    graph = parse(content, name)
    assert _CONVERTED[name, dtype] in {op.kind for op in graph.ops}
    code = generate(graph, name=name, labels=(), content=content, board="host", where=name)
    ours, reference = HostModel(code, graph), Oracle(content, graph=graph)
    info, shape = np.iinfo(dtype), graph.tensor(graph.inputs[0]).shape
    rng = np.random.default_rng(2)
    seen = set()
    for step in range(_INFERENCES):
        if step == _RESET:
            ours.reset()
            reference.reset()
        spread = info.max * rng.uniform(0.05, 1)
        values = np.rint(rng.normal(0, spread, shape)).clip(info.min, info.max).astype(dtype)
        wanted = reference.invoke(values)
        assert ours.invoke(values).tobytes() == wanted.tobytes(), f"{name} {dtype}: {step}"
        seen.add(wanted.tobytes())
    assert len(seen) > _INFERENCES // 2
