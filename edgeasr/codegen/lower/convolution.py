"""What a convolution is made of, checked, before a kernel is chosen for it."""

from dataclasses import dataclass, replace

import numpy as np

from edgeasr.codegen.call import Struct
from edgeasr.codegen.lower.quantized import activation_range, bias_of, check_accumulator
from edgeasr.codegen.lower.view import OpView, named
from edgeasr.graph import Tensor

_MAX_REACH = 1 << 24


@dataclass(frozen=True, eq=False)
class Convolution:
    """CONV_2D or DEPTHWISE_CONV_2D on int8 that passed all checks: a kernel can be made from it.

    input, output and filter have four dimensions; bias is constant, or None. values: the weights,
    int8, in the filter's shape: [output channels, height, width, input channels], where depthwise
    [1, height, width, output channels]. factors: input scale * filter scale / output scale, one or
    one for each output channel. params: the fields of ear_conv_t up to depth_multiplier.
    """

    view: OpView
    depthwise: bool
    input: Tensor
    filter: Tensor
    output: Tensor
    bias: Tensor | None
    values: np.ndarray
    factors: list[float]
    params: dict[str, int]

    @property
    def channels(self) -> int:
        return self.output.shape[3]

    @property
    def channel_axis(self) -> int:
        """Return the axis of the weights that is that of the output channels."""
        return 3 if self.depthwise else 0


def checked(view: OpView, *, depthwise: bool) -> Convolution:
    """Return the convolution that a view shows. Raises InputError for what no kernel can do."""
    view.arity(2, 3)
    filter_ = view.input(1, "int8", "int4")
    view.rank(filter_, 4)
    axis = 3 if depthwise else 0
    channels = filter_.shape[axis]
    input_, output = view.input(0, "int8"), view.output("int8")
    bias = bias_of(view, 2, channels)
    multiplier = depth_multiplier_of(view, input_, filter_) if depthwise else 1
    if not depthwise:
        check_groups(view, input_, filter_)
    geometry, shape = geometry_of(view, input_, filter_)
    view.shape(output, (*shape, channels))
    values = view.constant(filter_).astype(np.int8)
    input_offset = -view.quantization(input_)[1]
    check_accumulator(view, np.moveaxis(values, axis, 0).reshape(channels, -1), input_offset)
    params = {
        "input_offset": input_offset,
        "output_offset": view.quantization(output)[1],
        **activation_range(view, output),
        **geometry,
        "depth_multiplier": multiplier,
    }
    factors = factors_of(view, input_, filter_, output, axis)
    return Convolution(view, depthwise, input_, filter_, output, bias, values, factors, params)


def as_convolution(layer: Convolution) -> Convolution:
    """Return a depthwise layer of one input channel as the CONV_2D that it is; else itself.

    All its output channels read the same channel, so that what lies under the filter can be
    gathered once for all of them. The weights of an output channel come to lie together.
    """
    if not layer.depthwise or layer.input.shape[3] != 1:
        return layer
    values = np.ascontiguousarray(layer.values.transpose(3, 1, 2, 0))
    turned = replace(layer.filter, shape=values.shape, data=values)
    return replace(layer, depthwise=False, filter=turned, values=values)


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
