"""A speech model with each packing of weights in each kind of layer that has weights.

All of these layers read the first convolution's output, or its mean over time and frequency; what
they make is for looking at.
"""

import math
from pathlib import Path

import numpy as np

from edgeasr import speech
from edgeasr.codegen.packing import pack
from edgeasr.graph import Graph, Op, Tensor
from tests import tiny
from tests.vectors.kernels.cases_packed import GRIDS
from tests.vectors.kernels.tflite_builder import serialize

_CHANNELS = 48
_PLANE = (1, tiny.FRAMES, tiny.CHANNELS, _CHANNELS)
_UNITS = 20
_MEAN_SCALE = 0.5
# Filters and outputs: several blocks of output channels for the first two, one for the third.
_LAYERS = {
    "CONV_2D": ((_CHANNELS, 1, 2, _CHANNELS), _PLANE),
    "DEPTHWISE_CONV_2D": ((1, 9, 7, _CHANNELS), _PLANE),
    "FULLY_CONNECTED": ((_UNITS, _CHANNELS), (1, _UNITS)),
}
_WINDOW = {
    "padding": "SAME", "stride_w": 1, "stride_h": 1, "dilation_w_factor": 1,
    "dilation_h_factor": 1, "fused_activation_function": "NONE",
}  # fmt: skip
_OPTIONS = {
    "CONV_2D": _WINDOW,
    "DEPTHWISE_CONV_2D": _WINDOW | {"depth_multiplier": 1},
    "FULLY_CONNECTED": {
        "fused_activation_function": "NONE",
        "weights_format": "DEFAULT",
        "keep_num_dims": False,
    },
}


def write_model(path: Path) -> Path:
    """Write the model to a file."""
    path.write_bytes(speech.embed(serialize(graph()), tiny.facts(name="every packing")))
    return path


def graph() -> Graph:
    """A convolution to 48 channels; raw and for each unpacker, a layer of each kind; odd ones."""
    make = _Make()
    first = np.random.default_rng(7).integers(-127, 128, (_CHANNELS, 3, 3, 1), np.int8)
    source = make.layer("CONV_2D", first, 0, _PLANE)
    axes = make.tensor("axes", (2,), "int32", data=np.array([1, 2], np.int32))
    mean = make.op("MEAN", (source, axes), (1, _CHANNELS), _MEAN_SCALE, {"keep_dims": False})
    for unpacker in (None, *GRIDS):
        for kind, (shape, made) in _LAYERS.items():
            axis = 3 if kind == "DEPTHWISE_CONV_2D" else 0
            reads = mean if kind == "FULLY_CONNECTED" else source
            make.layer(kind, _weights(unpacker, shape, axis), reads, made)
    odd = np.random.default_rng(10).integers(-128, 128, (7, 3, 2, _CHANNELS), np.int8)
    make.layer("CONV_2D", odd, source, (*_PLANE[:3], 7))
    make.layer("FULLY_CONNECTED", odd[:, 0, 0], mean, (1, 7))
    last = np.random.default_rng(8).integers(-127, 128, (len(tiny.LABELS), _CHANNELS), np.int8)
    logits = make.layer("FULLY_CONNECTED", last, mean, (1, len(tiny.LABELS)))
    scores = make.op("SOFTMAX", (logits,), (1, len(tiny.LABELS)), 1 / 256, {"beta": 1.0}, -128)
    return Graph("main", tuple(make.tensors), tuple(make.ops), (0,), (scores,))


def _weights(unpacker: str | None, shape: tuple[int, ...], axis: int) -> np.ndarray:
    """Weights that are smallest in the form of this unpacker; None: that no form makes smaller."""
    if unpacker is None:
        return np.random.default_rng(9).integers(-128, 128, shape, np.int8)
    tried = (GRIDS[unpacker](np.random.default_rng(seed), shape, axis) for seed in range(100))
    return next(values for values in tried if pack(values, axis).unpacker == unpacker)


class _Make:
    """A graph under construction, with its input."""

    def __init__(self) -> None:
        self.tensors: list[Tensor] = []
        self.ops: list[Op] = []
        self.tensor("features", (1, tiny.FRAMES, tiny.CHANNELS, 1), scale=0.1, point=-128)

    def tensor(
        self, name: str, shape: tuple[int, ...], dtype: str = "int8", *, scale: float = 0,
        point: int = 0, data: np.ndarray | None = None,
    ) -> int:  # fmt: skip
        found = tiny.quantized(scale, point) if scale else None
        self.tensors.append(Tensor(len(self.tensors), name, shape, dtype, data, found))
        return len(self.tensors) - 1

    def layer(self, kind: str, values: np.ndarray, source: int, shape: tuple[int, ...]) -> int:
        """A layer with these weights, and a scale that lets it use the output's range."""
        taps = values[..., 0].size if kind == "DEPTHWISE_CONV_2D" else values[0].size
        spread = math.sqrt(float(np.mean(values.astype(float) ** 2)) * taps)
        weights = self.tensor(f"weights {len(self.ops)}", values.shape, scale=0.01, data=values)
        scale = float(self.tensors[source].quantization.scale) * 0.02 * max(spread, 1)
        return self.op(kind, (source, weights), shape, scale, _OPTIONS[kind])

    def op(
        self, kind: str, inputs: tuple[int, ...], shape: tuple[int, ...], scale: float,
        options: dict[str, object], point: int = 3,
    ) -> int:  # fmt: skip
        made = self.tensor(f"{kind} {len(self.ops)}", shape, scale=scale, point=point)
        self.ops.append(Op(len(self.ops), kind, inputs, (made,), options))
        return made
