"""CONV_2D and DEPTHWISE_CONV_2D with int8 activations and int8 or int4 weights."""

import math
from dataclasses import replace

import numpy as np

from edgeasr.codegen import columns
from edgeasr.codegen.call import KernelCall, Struct, Value
from edgeasr.codegen.lower.quantized import (
    activation_range,
    bias_of,
    channel_scales,
    check_accumulator,
    weights_of,
)
from edgeasr.codegen.lower.view import OpView, call, named
from edgeasr.graph import Tensor

_MAX_REACH = 1 << 24


def dims(name: str, shape: tuple[int, ...]) -> Struct:
    """Return the ear_dims_t of a shape of four dimensions."""
    return Struct(name, "ear_dims_t", dict(zip("nhwc", shape, strict=True)))


def axis_padding(
    view: OpView, padding: str, size: int, taps: int, stride: int, dilation: int = 1
) -> tuple[int, int]:
    """Return (output size, elements of padding before the input) along one axis.

    TFLite's ComputeOutSize and ComputePadding; with SAME the odd element of padding goes behind.
    """
    reach = (taps - 1) * dilation + 1
    if reach > _MAX_REACH:
        raise view.fail(f"the filter reaches over {reach:,} elements; at most {_MAX_REACH:,}")
    if padding == "SAME":
        count = (size + stride - 1) // stride
    else:
        count = (size + stride - reach) // stride
    if count < 1:
        raise view.fail(
            f"the filter reaches over {reach} elements, the input has {size}; use SAME padding"
        )
    return count, max((count - 1) * stride + reach - size, 0) // 2


def conv_2d(view: OpView) -> KernelCall:
    view.arity(2, 3)
    filter_ = view.input(1, "int8", "int4")
    view.rank(filter_, 4)
    return _lower(view, "ear_conv2d_s8", filter_.shape[0], channel_axis=0)


def depthwise_conv_2d(view: OpView) -> KernelCall:
    view.arity(2, 3)
    filter_ = view.input(1, "int8", "int4")
    view.rank(filter_, 4)
    return _lower(view, "ear_depthwise_conv2d_s8", filter_.shape[3], channel_axis=3)


def _lower(view: OpView, kernel: str, channels: int, channel_axis: int) -> KernelCall:
    input_, output = view.input(0, "int8"), view.output("int8")
    filter_ = view.input(1, "int8", "int4")
    bias = bias_of(view, 2, channels)
    depthwise = channel_axis == 3
    multiplier = depth_multiplier_of(view, input_, filter_) if depthwise else 1
    if not depthwise:
        check_groups(view, input_, filter_)
    geometry, shape = geometry_of(view, input_, filter_)
    view.shape(output, (*shape, channels))
    values = view.constant(filter_)
    input_offset = -view.quantization(input_)[1]
    by_channel = np.moveaxis(values, channel_axis, 0).reshape(channels, -1)
    check_accumulator(view, by_channel, input_offset)
    before = 0 if depthwise else columns_bytes(input_, filter_, output)
    params = Struct(
        "params",
        "ear_conv_t",
        {
            "input_offset": input_offset,
            "output_offset": view.quantization(output)[1],
            **activation_range(view, output),
            **geometry,
            "depth_multiplier": multiplier,
            "columns_bytes": before,
        },
    )
    weights = weights_of(view, filter_, channel_axis)
    made = call(
        kernel,
        params,
        channel_scales(view, factors_of(view, input_, filter_, output, channel_axis), channels),
        dims("input_dims", input_.shape),
        view.read(input_),
        dims("filter_dims", filter_.shape),
        weights.struct,
        replace(weights.scratch, bytes=before + weights.scratch.bytes),
        Value(None) if bias is None else view.read(bias, "bias"),
        dims("output_dims", output.shape),
        view.write(output),
    )
    return weights.belong_to(made)


def columns_bytes(input_: Tensor, filter_: Tensor, output: Tensor) -> int:
    """Return the scratch for columns, which are of all channels of the input: groups have none."""
    if filter_.shape[3] != input_.shape[3]:
        return 0
    pointwise = filter_.shape[1:3] == (1, 1)
    return columns.scratch_bytes(
        math.prod(filter_.shape[1:]), pointwise, math.prod(output.shape[:3])
    )


def geometry_of(
    view: OpView, input_: Tensor, filter_: Tensor
) -> tuple[dict[str, int], tuple[int, int, int]]:
    """Return the strides, dilations and padding, and the batch, height and width that follow."""
    batch, height, width, _ = view.rank(input_, 4)
    _, filter_h, filter_w, _ = filter_.shape
    padding = view.choice("padding", "SAME", "VALID")
    found = {
        "stride_h": view.integer("stride_h"),
        "stride_w": view.integer("stride_w"),
        "dilation_h": view.integer("dilation_h_factor"),
        "dilation_w": view.integer("dilation_w_factor"),
    }
    out_h, found["pad_h"] = axis_padding(
        view, padding, height, filter_h, found["stride_h"], found["dilation_h"]
    )
    out_w, found["pad_w"] = axis_padding(
        view, padding, width, filter_w, found["stride_w"], found["dilation_w"]
    )
    return found, (batch, out_h, out_w)


def factors_of(
    view: OpView, input_: Tensor, filter_: Tensor, output: Tensor, axis: int
) -> list[float]:
    """Return input scale * filter scale / output scale, in double, for each filter scale."""
    scales = view.scales(filter_)
    if scales.per_channel and (scales.axis != axis or len(scales.scales) != filter_.shape[axis]):
        raise view.fail(
            f"{named(filter_)} has {len(scales.scales)} scales along axis {scales.axis}; "
            f"per-channel weights have {filter_.shape[axis]} along axis {axis}"
        )
    if np.any(scales.zero_points):
        raise view.fail(
            f"{named(filter_)} has a zero point other than 0; weights must be symmetric"
        )
    input_scale, output_scale = view.quantization(input_)[0], view.quantization(output)[0]
    return [float(input_scale) * float(s) / float(output_scale) for s in scales.scales]


def check_groups(view: OpView, input_: Tensor, filter_: Tensor) -> None:
    depth, taken = view.rank(input_, 4)[3], filter_.shape[3]
    if depth % taken or filter_.shape[0] % (depth // taken):
        raise view.fail(
            f"{named(filter_)} has shape {list(filter_.shape)}; it does not divide "
            f"{depth} input channels into equal groups"
        )


def depth_multiplier_of(view: OpView, input_: Tensor, filter_: Tensor) -> int:
    depth, channels = view.rank(input_, 4)[3], filter_.shape[3]
    multiplier = view.integer("depth_multiplier")
    if filter_.shape[0] != 1 or channels != depth * multiplier:
        raise view.fail(
            f"{named(filter_)} has shape {list(filter_.shape)} and the depth multiplier is "
            f"{multiplier}; they do not fit {depth} input channels"
        )
    return multiplier
