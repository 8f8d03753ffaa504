"""Layers with weights on int8 for cores with MVE."""

from dataclasses import replace

import numpy as np

from edgeasr.codegen.call import Array, Function, KernelCall, Struct
from edgeasr.codegen.lower.convolution import Convolution, dims
from edgeasr.codegen.lower.depthwise_mve import depthwise_planes
from edgeasr.codegen.lower.quantized import multiplier, packed_weights
from edgeasr.codegen.lower.view import OpView, call
from edgeasr.codegen.sources import closure
from edgeasr.graph import Tensor

_VECTOR = 16
# Columns of so many vectors have a function of sums of their own.
_MOST_HELD = 6
_MOST_BAND_BYTES = 1024
# Longer runs of the filter are copied as fast from the input.
_MOST_BAND_RUN = 31
_ALONG = ("stride", "dilation", "pad")
_PARAMS = (
    "input_offset", "output_offset", "output_min", "output_max", "stride_h", "stride_w",
    "dilation_h", "dilation_w", "pad_h", "pad_w",
)  # fmt: skip


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
    pointwise = (height, width, params["stride_h"], params["stride_w"]) == (1, 1, 1, 1)
    if pointwise:  # one long row of positions
        sizes = [(1, 1, n * h * w, c) for n, h, w, c in sizes]
    elif sizes[0][2] == width == 1:  # a row of positions, not a column
        sizes = [(n, w, h, c) for n, h, w, c in sizes]
        height, width, params = 1, height, _turned(params)
    rows = values.reshape(channels, -1)
    # Behind the weights of a channel any value will do: columns have 0 there. A channel's own
    # value is in its grid, whatever that is.
    behind = -rows.shape[1] % _VECTOR
    padded = np.concatenate([rows, np.repeat(rows[:, :1], behind, axis=1)], axis=1)
    in_input = pointwise and not behind and sizes[1][2] == 1
    columns = 0 if in_input else 2 * padded.shape[1]
    band = _band(params, (height, width, depth), sizes[1][2])
    sums = _sums(padded.shape[1] // _VECTOR)
    weights = packed_weights(view, padded, 0)
    made = call(
        "ear_conv2d_s8_mve",
        Struct(
            "params",
            "ear_conv_mve_t",
            {
                **{name: params[name] for name in _PARAMS},
                "columns_bytes": columns,
                **band,
                "sums": None if in_input else Function(sums),
            },
        ),
        scales,
        dims("input_dims", sizes[0]),
        view.read(input_),
        dims("filter_dims", (channels, height, width, depth)),
        weights.struct,
        replace(weights.scratch, bytes=columns + band["band_bytes"] + weights.scratch.bytes),
        folded_bias(bias, rows, params["input_offset"]),
        dims("output_dims", sizes[1]),
        view.write(output),
    )
    if not in_input:
        made = replace(made, sources=tuple(sorted({*made.sources, *closure(f"{sums}.c")})))
    if pointwise and columns and channels <= depth and weights.packed.unpacker is None:
        made = replace(made, overwrites=input_.index)
    return weights.belong_to(made)


def _turned(params: dict[str, int]) -> dict[str, int]:
    """Return params with the two axes of the plane exchanged."""
    turned = {f"{n}_{a}": params[f"{n}_{b}"] for n in _ALONG for a, b in ("hw", "wh")}
    return params | turned


def _sums(vectors: int) -> str:
    """Return the function that makes sums of columns of so many vectors."""
    return f"ear_sums{vectors}_mve" if vectors <= _MOST_HELD else "ear_sums_mve"


def _band(params: dict[str, int], filter_: tuple[int, int, int], positions: int) -> dict:
    """Return the fields of a band, which are 0 where columns come straight from the input.

    positions: outputs of a row.
    """
    height, width, depth = filter_
    run = width * depth
    row = ((positions - 1) * params["stride_w"] + width) * depth
    dilated = params["dilation_w"] > 1 and width > 1
    behind = -height * run % _VECTOR
    # From the last position too, what is behind a column is behind the band's rows.
    zeros = np.full(behind, height * row)
    offsets = np.concatenate([(np.arange(height)[:, None] * row + np.arange(run)).ravel(), zeros])
    vectors = offsets.reshape(-1, _VECTOR)
    starts = vectors.min(axis=1)
    places = vectors - starts[:, None]
    # The zeros of the last position are the farthest.
    bytes_ = -(-(height * row + (row if behind else 0)) // 4) * 4
    too_long = run > _MOST_BAND_RUN or bytes_ > _MOST_BAND_BYTES or places.max() > 255
    if height == 1 or dilated or too_long:
        return {"band_bytes": 0, "band_row": 0, "starts": None, "places": None}
    return {
        "band_bytes": bytes_,
        "band_row": row,
        "starts": Array("starts", "int16_t", starts.astype(np.int16)),
        "places": Array("places", "uint8_t", places.astype(np.uint8)),
    }


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
