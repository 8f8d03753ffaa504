"""Layers with weights on int8 for cores with MVE."""

from dataclasses import replace

import numpy as np

from edgeasr.codegen.call import Array, KernelCall, Struct
from edgeasr.codegen.lower.convolution import Convolution, dims
from edgeasr.codegen.lower.depthwise_mve import depthwise_planes
from edgeasr.codegen.lower.quantized import multiplier, packed_weights
from edgeasr.codegen.lower.view import OpView, call
from edgeasr.graph import Tensor

_VECTOR = 16


def conv_mve(layer: Convolution) -> KernelCall | None:
    """Return the call for a convolution, or None where it takes another kernel."""
    if layer.depthwise:
        return _depthwise(layer)
    if layer.filter.shape[3] != layer.input.shape[3]:
        return None
    return products(
        layer.view, layer.input, layer.output, layer.bias, layer.values, layer.factors, layer.params
    )


def _depthwise(layer: Convolution) -> KernelCall | None:
    view, channels = layer.view, layer.channels
    scales = every_scale(view, layer.factors, channels)
    if scales is None:
        return None
    by_planes = depthwise_planes(layer, scales)
    if by_planes or layer.params["depth_multiplier"] != 1:
        return by_planes
    rows = layer.values.reshape(-1, channels)
    bias = folded_bias(layer.bias, rows.T, layer.params["input_offset"])
    weights = packed_weights(view, layer.values, layer.channel_axis)
    made = call(
        "ear_depthwise_conv2d_s8_mve",
        Struct("params", "ear_conv_t", {**layer.params, "columns_bytes": 0}),
        scales,
        dims("input_dims", layer.input.shape),
        view.read(layer.input),
        dims("filter_dims", layer.filter.shape),
        weights.struct,
        replace(weights.scratch, bytes=2 * 4 * len(rows) + weights.scratch.bytes),
        replace(bias, values=np.pad(bias.values, (0, -channels % 8))),
        dims("output_dims", layer.output.shape),
        view.write(layer.output),
    )
    return weights.belong_to(made)


def products(
    view: OpView,
    input_: Tensor,
    output: Tensor,
    bias: Tensor | None,
    values: np.ndarray,
    factors: list[float],
    params: dict[str, int],
) -> KernelCall | None:
    """As conv_mve. values: [output channels, height, width, input channels]; see ear_conv_t."""
    channels, height, width, depth = values.shape
    scales = every_scale(view, factors, channels)
    if scales is None:
        return None
    sizes = [
        (*t.shape[:3], c) if len(t.shape) == 4 else (1, 1, t.elements // c, c)
        for t, c in ((input_, depth), (output, channels))
    ]
    strides = params["stride_h"], params["stride_w"]
    pointwise = (height, width, *strides) == (1, 1, 1, 1)
    if pointwise:  # one long row of positions
        sizes = [(1, 1, n * h * w, c) for n, h, w, c in sizes]
    rows = values.reshape(channels, -1)
    # Behind the weights of a channel any value will do: columns have 0 there. A channel's own
    # value is in its grid, whatever that is.
    behind = -rows.shape[1] % _VECTOR
    padded = np.concatenate([rows, np.repeat(rows[:, :1], behind, axis=1)], axis=1)
    in_input = pointwise and not behind and sizes[1][2] == 1
    columns = 0 if in_input else 2 * padded.shape[1]
    weights = packed_weights(view, padded, 0)
    made = call(
        "ear_conv2d_s8_mve",
        Struct("params", "ear_conv_t", {**params, "columns_bytes": columns}),
        scales,
        dims("input_dims", sizes[0]),
        view.read(input_),
        dims("filter_dims", values.shape),
        weights.struct,
        replace(weights.scratch, bytes=columns + weights.scratch.bytes),
        folded_bias(bias, rows, params["input_offset"]),
        dims("output_dims", sizes[1]),
        view.write(output),
    )
    if pointwise and columns and channels <= depth and weights.packed.unpacker is None:
        made = replace(made, overwrites=input_.index)
    return weights.belong_to(made)


def every_scale(view: OpView, factors: list[float], channels: int) -> Struct | None:
    """Return an ear_scales_t of one entry for each channel; None if any shift is to the left."""
    pairs = [multiplier(view, factor, "input, weights and output") for factor in factors]
    if any(shift > 0 for _, shift in pairs):
        return None
    values = np.array(pairs * (channels // len(pairs)), np.int32)
    fields = {
        "multipliers": Array("multipliers", "int32_t", values[:, 0]),
        "shifts": Array("shifts", "int8_t", values[:, 1].astype(np.int8)),
        "step": 1,
    }
    return Struct("scales", "ear_scales_t", fields)


def folded_bias(bias: Tensor | None, rows: np.ndarray, input_offset: int) -> Array:
    """Return bias + input_offset * sum of the weights of each channel, [channels, taps]."""
    sums = rows.astype(np.int64).sum(axis=1) * input_offset
    if bias is not None and bias.data is not None:
        sums = sums + bias.data.astype(np.int64).reshape(-1)
    return Array("bias", "int32_t", sums.astype(np.uint64).astype(np.uint32).view(np.int32))
