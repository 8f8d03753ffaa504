"""The smallest speech model that has everything: for tests that need a model, not a good one."""

from pathlib import Path

import numpy as np

from edgeasr import speech
from edgeasr.decision import Decision
from edgeasr.features import FrontEnd
from edgeasr.graph import Graph, Op, Quantization, Tensor
from edgeasr.speech import Facts
from tests.vectors.kernels.tflite_builder import serialize

FRAMES, CHANNELS = 6, 8
STREAM_FRAMES = 15
LABELS = ("_silence_", "_unknown_", "yes", "no")
FRONT_END = FrontEnd(kind="micro", window_ms=30, hop_ms=20, channels=CHANNELS)


def quantized(scale: float | np.ndarray, zero_point: int = 0, axis: int = 0) -> Quantization:
    scales = np.atleast_1d(np.float32(scale))
    return Quantization(scales, np.full(len(scales), zero_point, np.int32), axis)


def graph(seed: int = 1, channels: int = 4) -> Graph:
    """A convolution, a mean over time, a fully connected layer and a softmax, all int8."""
    rng = np.random.default_rng(seed)
    kernel = rng.integers(-127, 128, (channels, 3, 3, 1), np.int8)
    dense = rng.integers(-127, 128, (len(LABELS), channels), np.int8)
    scales = rng.uniform(0.001, 0.01, channels).astype(np.float32)
    tensors = (
        Tensor(0, "features", (1, FRAMES, CHANNELS, 1), "int8", None, quantized(0.1, -128)),
        Tensor(1, "kernel", kernel.shape, "int8", kernel, quantized(scales)),
        Tensor(2, "bias", (channels,), "int32", rng.integers(-900, 900, channels, np.int32),
               quantized(scales * np.float32(0.1))),
        Tensor(3, "conv", (1, 3, 4, channels), "int8", None, quantized(0.05, -128)),
        Tensor(4, "axes", (2,), "int32", np.array([1, 2], np.int32)),
        Tensor(5, "mean", (1, channels), "int8", None, quantized(0.03, -100)),
        Tensor(6, "dense", dense.shape, "int8", dense, quantized(0.01)),
        Tensor(7, "logits", (1, len(LABELS)), "int8", None, quantized(0.1, 3)),
        Tensor(8, "scores", (1, len(LABELS)), "int8", None, quantized(1 / 256, -128)),
    )  # fmt: skip
    convolution = {
        "padding": "SAME", "stride_w": 2, "stride_h": 2, "dilation_w_factor": 1,
        "dilation_h_factor": 1, "fused_activation_function": "RELU",
    }  # fmt: skip
    ops = (
        Op(0, "CONV_2D", (0, 1, 2), (3,), convolution),
        Op(1, "MEAN", (3, 4), (5,), {"keep_dims": False}),
        Op(2, "FULLY_CONNECTED", (5, 6, -1), (7,),
           {"fused_activation_function": "NONE", "weights_format": "DEFAULT",
            "keep_num_dims": False}),
        Op(3, "SOFTMAX", (7,), (8,), {"beta": 1.0}),
    )  # fmt: skip
    return Graph("main", tensors, ops, (0,), (8,))


def facts(name: str = "tiny", labels: tuple[str, ...] = LABELS, **changes: object) -> Facts:
    values = {
        "front_end": FRONT_END,
        "frames": FRAMES,
        "feature_scale": FRONT_END.unit,
        "feature_offset": 0.0,
        "decision": Decision(window=2, threshold=0.5, refractory_ms=200, hop_frames=2),
        "provenance": {"data": "none"},
    }
    return Facts(name=name, labels=labels, **(values | changes))


def stream_graph(seed: int = 1) -> Graph:
    """Two convolutions without padding in time, a row each 2 frames of 15, and layers as above."""
    rng = np.random.default_rng(seed)
    kernels = [rng.integers(-127, 128, shape, np.int8) for shape in ((6, 3, 3, 1), (5, 3, 1, 6))]
    dense = rng.integers(-127, 128, (len(LABELS), 5), np.int8)
    biases = [rng.integers(-900, 900, count, np.int32) for count in (6, 5)]
    shapes = ((1, STREAM_FRAMES, CHANNELS, 1), (1, 7, 3, 6), (1, 5, 3, 5))
    pictures = [
        Tensor(i, name, shape, "int8", None, quantized(scale, -128))
        for i, (name, shape, scale) in enumerate(
            zip(("features", "first", "second"), shapes, (0.1, 0.08, 0.05), strict=True)
        )
    ]
    tensors = (
        *pictures,
        Tensor(3, "kernel", kernels[0].shape, "int8", kernels[0], quantized(0.004)),
        Tensor(4, "bias", (6,), "int32", biases[0], quantized(0.0004)),
        Tensor(5, "kernel2", kernels[1].shape, "int8", kernels[1], quantized(0.003)),
        Tensor(6, "bias2", (5,), "int32", biases[1], quantized(0.00024)),
        Tensor(7, "axes", (2,), "int32", np.array([1, 2], np.int32)),
        Tensor(8, "mean", (1, 5), "int8", None, quantized(0.03, -100)),
        Tensor(9, "dense", dense.shape, "int8", dense, quantized(0.01)),
        Tensor(10, "logits", (1, len(LABELS)), "int8", None, quantized(0.1, 3)),
        Tensor(11, "scores", (1, len(LABELS)), "int8", None, quantized(1 / 256, -128)),
    )
    window = {
        "padding": "VALID", "dilation_w_factor": 1, "dilation_h_factor": 1,
        "fused_activation_function": "RELU",
    }  # fmt: skip
    ops = (
        Op(0, "CONV_2D", (0, 3, 4), (1,), window | {"stride_w": 2, "stride_h": 2}),
        Op(1, "CONV_2D", (1, 5, 6), (2,), window | {"stride_w": 1, "stride_h": 1}),
        Op(2, "MEAN", (2, 7), (8,), {"keep_dims": False}),
        Op(3, "FULLY_CONNECTED", (8, 9, -1), (10,),
           {"fused_activation_function": "NONE", "weights_format": "DEFAULT",
            "keep_num_dims": False}),
        Op(4, "SOFTMAX", (10,), (11,), {"beta": 1.0}),
    )  # fmt: skip
    return Graph("main", tensors, ops, (0,), (11,))


def write_stream_model(path: Path, hop_frames: int = 4) -> Path:
    """Write a speech model that can be computed incrementally."""
    rule = Decision(window=2, threshold=0.3, refractory_ms=200, hop_frames=hop_frames)
    known = facts(frames=STREAM_FRAMES, decision=rule)
    path.write_bytes(speech.embed(serialize(stream_graph()), known))
    return path


def write_model(path: Path, **changes: object) -> Path:
    """Write the tiny speech model to a file; changes go to `facts`."""
    path.write_bytes(speech.embed(serialize(graph()), facts(**changes)))
    return path
