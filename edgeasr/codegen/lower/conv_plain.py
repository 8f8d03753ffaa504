"""CONV_2D and DEPTHWISE_CONV_2D on int8 for cores without an extension."""

import math
from dataclasses import replace

import numpy as np

from edgeasr.codegen.call import Array, KernelCall, Struct
from edgeasr.codegen.lower.convolution import Convolution, dims
from edgeasr.codegen.lower.quantized import channel_scales, packed_weights
from edgeasr.codegen.lower.view import call

# See runtime/ear_end_s8.h and ear_kernels_plain.h.
_SUM_LIMIT = 1 << 30
_SHIFTS = range(-22, 0)
_RAISE = 32640
_POSITIONS = 4
_WORD_BYTES = 2 * 4  # of one weight in the columns of four positions
_COLUMNS_MOST = 1536
_PLANE_MOST = 1024


def conv_plain(layer: Convolution) -> KernelCall | None:
    """Return a call that needs fewer instructions than the general one, or None."""
    scales = channel_scales(layer.view, layer.factors, layer.channels)
    starts = _starts(layer, scales)
    if starts is None:
        return None
    return (_planes if layer.depthwise else _pairs)(layer, scales, starts)


def _starts(layer: Convolution, scales: Struct) -> np.ndarray | None:
    """Return where sums begin for inputs without their offset, or None where sums are too large."""
    shifts = scales.fields["shifts"]
    assert isinstance(shifts, Array)
    if shifts.values.min() < _SHIFTS[0] or shifts.values.max() > _SHIFTS[-1]:
        return None
    weights = np.moveaxis(layer.values, layer.channel_axis, 0).reshape(layer.channels, -1)
    weights = weights.astype(np.int64)
    bias = np.zeros(layer.channels, np.int64)
    if layer.bias is not None:
        bias = layer.view.constant(layer.bias).astype(np.int64).ravel()
    offset = layer.params["input_offset"]
    reach = max(abs(-128 + offset), abs(127 + offset))
    if (np.abs(bias) + np.abs(weights).sum(axis=1) * reach).max() >= _SUM_LIMIT:
        return None
    return np.asarray(bias + offset * weights.sum(axis=1))


def _array(starts: np.ndarray) -> Array:
    return Array("starts", "int32_t", starts.astype(np.uint64).astype(np.uint32).view(np.int32))


def _pairs(layer: Convolution, scales: Struct, starts: np.ndarray) -> KernelCall | None:
    depth = math.prod(layer.filter.shape[1:])
    columns = depth * _WORD_BYTES
    one_group = layer.filter.shape[3] == layer.input.shape[3]
    if not one_group or columns > _COLUMNS_MOST or _positions(layer) < _POSITIONS - 1:
        return None
    view = layer.view
    weights = packed_weights(view, layer.values, 0)
    made = call(
        "ear_conv2d_pairs_s8",
        Struct("params", "ear_conv_t", {**layer.params, "columns_bytes": columns}),
        scales,
        dims("input_dims", layer.input.shape),
        view.read(layer.input),
        dims("filter_dims", layer.filter.shape),
        weights.struct,
        replace(weights.scratch, bytes=columns + weights.scratch.bytes),
        _array(starts - (depth + 1) // 2 * _RAISE),
        dims("output_dims", layer.output.shape),
        view.write(layer.output),
    )
    pointwise = (
        layer.filter.shape[1:3] == (1, 1)
        and layer.params["stride_h"] == layer.params["stride_w"] == 1
        and layer.channels <= layer.input.shape[3]
        and weights.packed.unpacker is None
    )
    made = replace(made, overwrites=layer.input.index if pointwise else None)
    return weights.belong_to(made)


def _positions(layer: Convolution) -> int:
    return math.prod(layer.output.shape[:3])


def _planes(layer: Convolution, scales: Struct, starts: np.ndarray) -> KernelCall | None:
    batch, height, width, depth = layer.input.shape
    _, out_h, out_w, channels = layer.output.shape
    rows = _axis(layer, "h", 1, width * depth, out_w * channels)
    columns = _axis(layer, "w", 2, depth, channels)
    values = layer.values[0].transpose(2, 0, 1)
    if out_h > out_w:
        rows, columns, values = columns, rows, values.transpose(0, 2, 1)
    if columns["output"] < _POSITIONS:
        return None
    band = rows["output"]
    while _reach(rows, band) * columns["plane"] > _PLANE_MOST:
        if band == 1:
            return None
        band -= 1
    rows["plane"] = _reach(rows, band)
    plane = rows["plane"] * columns["plane"]
    view = layer.view
    weights = packed_weights(view, np.ascontiguousarray(values), 0)
    multiplier = layer.params["depth_multiplier"]
    made = call(
        "ear_depthwise_planes_s8",
        Struct(
            "params",
            "ear_plane_t",
            {
                "images": batch,
                "band": band,
                "channels": channels,
                "depth_multiplier": multiplier,
                "input_zero_point": -layer.params["input_offset"],
                "output_zero_point": layer.params["output_offset"],
                "output_min": layer.params["output_min"],
                "output_max": layer.params["output_max"],
                "plane_bytes": plane,
            },
        ),
        Struct("rows", "ear_plane_axis_t", rows),
        Struct("columns", "ear_plane_axis_t", columns),
        scales,
        view.read(layer.input),
        weights.struct,
        replace(weights.scratch, bytes=plane + weights.scratch.bytes),
        _array(starts),
        view.write(layer.output),
    )
    whole = multiplier == 1 and band == rows["output"] and out_h * out_w <= height * width
    made = replace(made, overwrites=layer.input.index if whole else None)
    return weights.belong_to(made)


def _axis(
    layer: Convolution, name: str, axis: int, input_step: int, output_step: int
) -> dict[str, int]:
    """Return an ear_plane_axis_t, its plane that of all outputs."""
    made = {
        "input": layer.input.shape[axis],
        "input_step": input_step,
        "filter": layer.filter.shape[axis],
        "output": layer.output.shape[axis],
        "output_step": output_step,
        "stride": layer.params[f"stride_{name}"],
        "dilation": layer.params[f"dilation_{name}"],
        "pad": layer.params[f"pad_{name}"],
    }
    return {**made, "plane": _reach(made, made["output"])}


def _reach(axis: dict[str, int], outputs: int) -> int:
    return (outputs - 1) * axis["stride"] + (axis["filter"] - 1) * axis["dilation"] + 1
