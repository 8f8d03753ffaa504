"""Functions of int16 that go by tables: every value there is gives TFLite-Micro's bits."""

import numpy as np
import pytest

from edgeasr.codegen.lower import lower
from edgeasr.graph import Graph, Op, Quantization, Tensor
from tests.vectors.kernels import host
from tests.vectors.kernels.oracle import tflm

_ALL = np.arange(-32768, 32768).astype(np.int16)
_SCALES = (1e-5, 2.0**-15, 3e-4, 2.0**-12, 2.0**-11, 1e-3, 0.3)


def _differing(kind: str, values: np.ndarray, scale: float, options: dict) -> int:
    """Return how many outputs differ."""

    def quantized(scale: float) -> Quantization:
        return Quantization(np.array([scale], np.float32), np.zeros(1, np.int32))

    tensors = (
        Tensor(0, "x", values.shape, "int16", None, quantized(scale)),
        Tensor(1, "y", values.shape, "int16", None, quantized(2.0**-15)),
    )
    graph = Graph("main", tensors, (Op(0, kind, (0,), (1,), options),), (0,), (1,))
    (got,) = host.Layer(graph, lower(graph, graph.ops[0])).invoke({0: values})
    return int((got != tflm(graph, [values])).sum())


@pytest.mark.parametrize("scale", _SCALES)
@pytest.mark.parametrize("kind", ["LOGISTIC", "TANH"])
def test_every_value(kind: str, scale: float) -> None:
    assert _differing(kind, _ALL.reshape(1, -1), scale, {}) == 0


@pytest.mark.parametrize("scale", _SCALES)
def test_every_difference_in_softmax(scale: float) -> None:
    """All differences to the largest input, and some 65536 sums of exponentials."""
    largest = np.full(_ALL.shape, 32767, np.int16)
    mixed = np.random.default_rng(1).permutation(_ALL)
    for rows in ((largest, _ALL), (_ALL, np.full(_ALL.shape, -100, np.int16), mixed)):
        assert _differing("SOFTMAX", np.stack(rows, axis=1), scale, {"beta": 1.0}) == 0
