"""Calibration windows become what post-training quantization learns from them, by layer.

The windows run through TFLite-Micro's reference kernels, which show every tensor. Refused: inputs
of another type or size than the model's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeasr.errors import InputError
from edgeasr.oracle import Oracle

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgeasr.graph import Graph
    from edgeasr.quantize.rewriting import Layer

_CHUNK = 32  # Windows whose patches are in memory at once.


@dataclass(frozen=True, eq=False)
class Moments:
    """Means over calibration of a layer's inputs x (taps of one output) and wanted sums t.

    G groups of channels see the same inputs (1, or the input channels of a depthwise layer), C
    channels, K taps. covariance: [G, K, K] of x; cross: [C, K], covariance of t and x; mean: [G,
    K] of x; wanted: [C], mean of t. All float64, in real numbers.
    """

    covariance: np.ndarray
    cross: np.ndarray
    mean: np.ndarray
    wanted: np.ndarray


def check_inputs(model: Graph, inputs: np.ndarray) -> None:
    """Refuse calibration inputs that are not [n, elements of the model's one input] of its type."""
    if len(model.inputs) != 1:
        raise InputError(f"calibration: the model has {len(model.inputs)} inputs; one is supported")
    entry = model.tensor(model.inputs[0])
    size = math.prod(inputs.shape[1:])
    if inputs.dtype != entry.dtype or not len(inputs) or size != entry.elements:
        raise InputError(
            f"calibration: inputs of shape {list(inputs.shape)} and type {inputs.dtype}; the model "
            f"takes {entry.dtype} [n, {', '.join(map(str, entry.shape))}], n of 1 or more"
        )


def capture(content: bytes, tensors: Iterable[int], inputs: np.ndarray) -> dict[int, np.ndarray]:
    """Return for each tensor its integers [n, ...] as the model makes them from inputs [n, ...]."""
    oracle = Oracle(content, keep_tensors=True)
    seen: dict[int, list[np.ndarray]] = {index: [] for index in tensors}
    for row in inputs:
        oracle.invoke(row)
        for index, values in seen.items():
            shape = oracle.graph.tensor(index).shape
            values.append(np.array(oracle.tensor(index)).reshape(shape))
    return {index: np.stack(values) for index, values in seen.items()}


def moments(layer: Layer, original: np.ndarray, quantized: np.ndarray) -> Moments:
    """Return the moments of a layer's inputs in the quantized model, and of the sums to reach.

    original, quantized: integers [n, ...], the layer's input in the model as it was and in the one
    whose earlier layers are quantized. The sums to reach are those of the original's inputs and
    weights, bias included, before any activation function.
    """
    rows = np.moveaxis(layer.weights, layer.axis, 0).reshape(layer.channels, -1).astype(np.float64)
    count, sums = 0, None
    for start in range(0, len(original), _CHUNK):
        part = slice(start, start + _CHUNK)
        x, own = patches(layer, quantized[part]), patches(layer, original[part])
        grouped = rows.reshape(len(x), -1, rows.shape[1])
        t = own @ grouped.swapaxes(1, 2) + layer.bias.reshape(len(x), 1, -1)
        found = [x.swapaxes(1, 2) @ x, t.swapaxes(1, 2) @ x, x.sum(1), t.sum(1)]
        sums = found if sums is None else [a + b for a, b in zip(sums, found, strict=True)]
        count += x.shape[1]
    squares, products, mean, wanted = (total / count for total in sums)
    covariance = squares - mean[:, :, None] * mean[:, None, :]
    cross = products - wanted[:, :, None] * mean[:, None, :]
    return Moments(covariance, cross.reshape(rows.shape), mean, wanted.reshape(-1))


def patches(layer: Layer, values: np.ndarray) -> np.ndarray:
    """Return what each output sums up, float64 [groups, samples, taps], of integers [n, ...].

    Padding is the zero point, so 0 here. Taps are in the order of the layer's weights.
    """
    real = (values.astype(np.float64) - layer.input_zero_point) * layer.input_scale
    if layer.op.kind == "FULLY_CONNECTED":
        return real.reshape(1, -1, layer.weights.shape[1])
    options = layer.op.options
    real = real.reshape(-1, *values.shape[-3:])
    taps = layer.weights.shape[1:3]
    steps = (options["stride_h"], options["stride_w"])
    dilations = (options["dilation_h_factor"], options["dilation_w_factor"])
    reach = [(n - 1) * d + 1 for n, d in zip(taps, dilations, strict=True)]
    if options["padding"] == "SAME":
        pads = [_same(*axis) for axis in zip(real.shape[1:3], reach, steps, strict=True)]
        real = np.pad(real, ((0, 0), *pads, (0, 0)))
    views = np.lib.stride_tricks.sliding_window_view(real, reach, axis=(1, 2))
    views = views[:, :: steps[0], :: steps[1], :, :: dilations[0], :: dilations[1]]
    depth = 1 if layer.op.kind == "DEPTHWISE_CONV_2D" else layer.weights.shape[3]
    groups = real.shape[3] // depth
    views = views.reshape(*views.shape[:3], groups, depth, *taps)
    return views.transpose(3, 0, 1, 2, 5, 6, 4).reshape(groups, -1, math.prod(taps) * depth)


def _same(size: int, reach: int, step: int) -> tuple[int, int]:
    """Return the zeros before and after, as TFLite's padding SAME has them."""
    total = max((-(-size // step) - 1) * step + reach - size, 0)
    return total // 2, total - total // 2
