"""CONV_2D and DEPTHWISE_CONV_2D on int8 for NEON."""

import math
from dataclasses import replace

from edgeasr.codegen.call import KernelCall, Struct
from edgeasr.codegen.lower.convolution import Convolution, dims
from edgeasr.codegen.lower.ends_neon import COLUMNS, DEPTH, ends, rows_of_weights
from edgeasr.codegen.lower.quantized import packed_weights
from edgeasr.codegen.lower.view import call

_TAP_BYTES = 8  # EAR_NEON_TAP_BYTES


def conv_neon(layer: Convolution) -> KernelCall | None:
    return _depthwise(layer) if layer.depthwise else _conv_2d(layer)


def _conv_2d(layer: Convolution) -> KernelCall | None:
    view = layer.view
    if layer.filter.shape[3] != layer.input.shape[3]:
        return None
    rows = layer.values.reshape(layer.channels, -1)
    end = ends(view, layer.factors, rows.sum(axis=1, dtype="int64"), layer.bias, layer.params)
    weights = rows_of_weights(view, rows)
    if end is None or weights is None:
        return None
    before = _columns_bytes(layer)
    made = call(
        "ear_conv2d_neon_s8",
        Struct("params", "ear_conv_t", {**layer.params, "columns_bytes": before}),
        end,
        dims("input_dims", layer.input.shape),
        view.read(layer.input),
        dims("filter_dims", layer.filter.shape),
        weights.struct,
        replace(weights.scratch, bytes=before + weights.scratch.bytes),
        dims("output_dims", layer.output.shape),
        view.write(layer.output),
    )
    return weights.belong_to(made)


def _depthwise(layer: Convolution) -> KernelCall | None:
    view, channels = layer.view, layer.channels
    taps = layer.values.reshape(-1, channels)
    if channels != layer.input.shape[3] or taps.min() == -128:
        return None
    sums = taps.sum(axis=0, dtype="int64")
    end = ends(view, layer.factors, sums, layer.bias, layer.params)
    if end is None:
        return None
    weights = packed_weights(view, layer.values, layer.channel_axis)
    made = call(
        "ear_depthwise_conv2d_neon_s8",
        Struct("params", "ear_conv_t", {**layer.params, "columns_bytes": 0}),
        end,
        dims("input_dims", layer.input.shape),
        view.read(layer.input),
        dims("filter_dims", layer.filter.shape),
        weights.struct,
        replace(weights.scratch, bytes=_TAP_BYTES * len(taps) + channels + weights.scratch.bytes),
        dims("output_dims", layer.output.shape),
        view.write(layer.output),
    )
    return weights.belong_to(made)


def _columns_bytes(layer: Convolution) -> int:
    """Return the scratch for columns; 0 where the input is columns as it is."""
    params, taps = layer.params, layer.filter.shape[1:3]
    depth = math.prod(layer.filter.shape[1:])
    if taps == (1, 1) and params["stride_h"] == params["stride_w"] == 1 and depth % DEPTH == 0:
        return 0
    return COLUMNS * (depth + -depth % DEPTH)
