"""DEPTHWISE_CONV_2D on int8 for cores with the DSP extension."""

from dataclasses import replace

import numpy as np

from edgeasr.codegen.call import Array, KernelCall, Scratch, Struct
from edgeasr.codegen.lower.convolution import Convolution, dims
from edgeasr.codegen.lower.quantized import channel_scales, packed_weights
from edgeasr.codegen.lower.view import call

# More than this for planes would be felt in the arena.
_MAX_SCRATCH_BYTES = 1536
# Fewer positions, and filters but 3 x 3 and those along time, do not earn back what planes cost.
_MIN_POSITIONS = 16
# Of filters along time alone.
_MIN_FILTER_HEIGHT = 5


def depthwise(layer: Convolution) -> KernelCall | None:
    """Return ear_depthwise_conv2d_s8_dsp for a layer that it does faster, else None."""
    if not layer.depthwise or not _earns(layer):
        return None
    view = layer.view
    scales = channel_scales(view, layer.factors, layer.channels)
    plane = _plane(layer)
    if plane is None or not _can_scale(scales):
        return None
    bias = _folded_bias(layer)
    bytes_ = 8 * plane["pair_rows"] * plane["width"] + 8 * plane["taps_h"] * layer.filter.shape[2]
    if bytes_ > _MAX_SCRATCH_BYTES or bias is None:
        return None
    params = layer.params
    fields = {
        "padding": -params["input_offset"],
        **{key: params[key] for key in ("output_offset", "output_min", "output_max")},
        **{key: params[key] for key in ("pad_h", "pad_w")},
        **plane,
        "positive": int(params["output_min"] >= params["output_offset"]),
    }
    weights = packed_weights(view, layer.values, layer.channel_axis)
    made = call(
        "ear_depthwise_conv2d_s8_dsp",
        Struct("params", "ear_depthwise_dsp_t", fields),
        scales,
        dims("input_dims", layer.input.shape),
        view.read(layer.input),
        dims("filter_dims", layer.filter.shape),
        weights.struct,
        Scratch(bytes_ + weights.scratch.bytes),
        Array("bias", "int32_t", bias),
        dims("output_dims", layer.output.shape),
        view.write(layer.output),
    )
    if layer.input.shape == layer.output.shape:
        made = replace(made, overwrites=view.op.inputs[0])
    return weights.belong_to(made)


def _earns(layer: Convolution) -> bool:
    _, rows, columns, _ = layer.output.shape
    _, filter_h, filter_w, _ = layer.filter.shape
    strides = layer.params["stride_h"], layer.params["stride_w"]
    if rows * columns < _MIN_POSITIONS:
        return False
    if filter_w == layer.input.shape[2] == 1:
        return filter_h >= _MIN_FILTER_HEIGHT
    return (filter_h, filter_w) == (3, 3) and strides == (1, 1)


def _plane(layer: Convolution) -> dict[str, int] | None:
    """Return the fields of ear_depthwise_dsp_t on planes; None where strides or dilations differ
    from what it takes."""
    params = layer.params
    (_, height, width, _), (_, rows, columns, _) = layer.input.shape, layer.output.shape
    _, filter_h, filter_w, _ = layer.filter.shape
    stride = params["stride_h"]
    dilated = (params["dilation_h"] > 1 and filter_h > 1) or (
        params["dilation_w"] > 1 and filter_w > 1
    )
    if params["depth_multiplier"] != 1 or dilated or (stride > 1 and stride % 2):
        return None
    twos = (rows + 1) // 2
    if stride == 1:
        taps, second, step = filter_h // 2 + 1, 0, 1
    else:
        taps, second, step = (filter_h + 1) // 2, stride // 2, stride
    pair_rows = (twos - 1) * step + second + taps
    across = (columns - 1) * params["stride_w"] + filter_w
    return {
        "rows": max(min(height, 2 * pair_rows - params["pad_h"]), 0),
        "columns": max(min(width, across - params["pad_w"]), 0),
        "pair_rows": pair_rows,
        "width": across,
        "taps_h": taps,
        "second": second,
        "step": step,
    }


def _can_scale(scales: Struct) -> bool:
    shifts = scales.fields["shifts"].values
    return bool((shifts >= -20).all() and (shifts <= -1).all())


def _folded_bias(layer: Convolution) -> np.ndarray | None:
    """Return the bias less the input's zero point times the weights; None where twice a sum with it
    could leave int32."""
    weights = layer.values.reshape(-1, layer.channels).astype(np.int64)
    offset = layer.params["input_offset"]
    bias = np.zeros(layer.channels, np.int64)
    if layer.bias is not None:
        bias += layer.view.constant(layer.bias).reshape(-1).astype(np.int64)
    reach = np.abs(weights).sum(axis=0) * max(abs(-128 + offset), abs(127 + offset))
    if (np.abs(bias) + reach).max() >= 1 << 30:
        return None
    return (bias + offset * weights.sum(axis=0)).astype(np.int32)
