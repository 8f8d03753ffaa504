"""Random layers of speech models: those that remember, transposed convolution, attention."""

import math
from collections.abc import Callable, Mapping

import numpy as np

from tests.vectors.kernels.building import Make


def _svdf(dtype: str) -> Callable[[Make], tuple[str, dict]]:
    """Biases are as large as they come: sums that leave int32 wrap."""

    def build(make: Make) -> tuple[str, dict]:
        batch, inputs, memory, rank = make.size(3), make.size(40), make.size(12), make.size(3)
        units = make.size(9)
        filters = units * rank
        scale, feature, time = make.scale(-3, -1), make.scale(-3, -1), make.scale(-4, -2)
        state = scale * feature * np.float32(make.pick(0.02, 0.5, 1, 30, 1e3))
        top = 127 if dtype == "int8" else 32767
        # As large as what int8 features make of it; TFLite-Micro wants the bias to have it too.
        output = state * time * np.float32(top * math.sqrt(memory * rank) * make.pick(0.3, 3, 100))
        make.invocations = 5
        make.feed((batch, inputs), scale=scale, point=make.point())
        make.hold(make.values((filters, inputs)), feature)
        make.hold(make.values((filters, memory), dtype), time)
        reach = make.pick(1e3, 1e6, 2**31 - 1)
        make.hold(make.rng.integers(-reach, reach, units).astype(np.int32), state * time)
        make.keep((batch, memory * filters), dtype, state, make.point() if dtype == "int8" else 0)
        make.result((batch, units), scale=output, point=make.point())
        return "SVDF", {
            "rank": rank,
            "fused_activation_function": make.pick("NONE", "RELU"),
            "asymmetric_quantize_inputs": False,
        }

    return build


def _svdf_ties(make: Make) -> tuple[str, dict]:
    """One of both factors next to 3/4: float32 or double computed it, which its last bit shows."""
    scale, feature, time = make.scale(-2, 0), make.scale(-2, 0), make.scale(-4, -2)
    first, second = make.pick((4 / 3, 1), (1, 4 / 3))
    state = np.float32(float(scale) * float(feature) * first)
    make.feed((250, 1), scale=scale)
    make.hold(np.array([[1]], np.int8), feature)
    make.hold(np.array([[1]], np.int16), time)
    make.hold(np.zeros(1, np.int32), state * time)
    make.keep((250, 1), "int16", state)
    make.result((250, 1), scale=np.float32(float(state) * float(time) * second))
    return "SVDF", {"rank": 1, "fused_activation_function": "NONE"}


def _quantize(source: str, target: str) -> Callable[[Make], tuple[str, dict]]:
    """Between int32, whose zero point is 0, and narrower types."""

    def build(make: Make) -> tuple[str, dict]:
        shape = make.pick((1, 49, 10, 1), (300,), (2, 3))
        scale = make.scale(-3, 0.5)
        make.feed(shape, source, scale, 0 if source == "int32" else make.point(source))
        low, high = (-10, -4) if source == "int32" else (-7, 2)
        factor = np.float32(10 ** make.rng.uniform(low, high))
        make.result(shape, target, scale / factor, 0 if target == "int32" else make.point(target))
        return "QUANTIZE", {}

    return build


KINDS: Mapping[str, Callable[[Make], tuple[str, dict]]] = {
    "svdf": _svdf("int16"),
    "svdf_int8": _svdf("int8"),
    "svdf_ties": _svdf_ties,
    "quantize_int8_int32": _quantize("int8", "int32"),
    "quantize_int16_int32": _quantize("int16", "int32"),
    "quantize_int32_int8": _quantize("int32", "int8"),
    "quantize_int32_int16": _quantize("int32", "int16"),
}
