"""TRANSPOSE_CONV and BATCH_MATMUL on int8 or int16 activations."""

import itertools

import numpy as np

from edgeasr.codegen.call import KernelCall, Struct, Value
from edgeasr.codegen.fixedpoint import INT32_MAX
from edgeasr.codegen.lower.convolution import axis_padding, dims, factors_of
from edgeasr.codegen.lower.quantized import (
    Weights,
    activation_range,
    bias_of,
    channel_scales,
    check_accumulator,
    multiplier,
    weights_of,
)
from edgeasr.codegen.lower.view import OpView, call
from edgeasr.codegen.lower.wide import SHORT, symmetric
from edgeasr.codegen.lower.wide_weights import MAX_SUM, end_of, rounded_once
from edgeasr.graph import Tensor

_BATCH_DIMS = 3


def transpose_conv(view: OpView) -> KernelCall:
    """TRANSPOSE_CONV; the output's shape comes from its tensor, as in TFLite-Micro."""
    view.arity(3, 4)
    filter_ = view.input(1, "int8")
    input_ = view.input(2, "int8", "int16")
    output = view.output(input_.dtype)
    symmetric(view, input_, output)
    params = _transposed(view, input_, filter_, output)
    channels = filter_.shape[0]
    factors = factors_of(view, input_, filter_, output, 0)
    by_channel = view.constant(filter_).reshape(channels, -1)
    weights = weights_of(view, filter_, channel_axis=0)
    if input_.dtype == "int16":
        end = end_of(view, by_channel, ("int64", "int16"), position=3)
        scales = end.struct(view, factors, channels)
        return _convolution(view, params, scales, input_, filter_, weights, (), output)
    bias = bias_of(view, 3, channels)
    check_accumulator(view, by_channel, -view.quantization(input_)[1])
    scales = channel_scales(view, factors, channels)
    more = (Value(None) if bias is None else view.read(bias, "bias"),)
    return _convolution(view, params, scales, input_, filter_, weights, more, output)


def _transposed(view: OpView, input_: Tensor, filter_: Tensor, output: Tensor) -> Struct:
    """Padding is that of the convolution which makes an input of the output."""
    batch, _, _, depth = view.rank(input_, 4)
    channels, taps_h, taps_w, _ = view.rank(filter_, 4)
    view.shape(filter_, (channels, taps_h, taps_w, depth))
    _, out_h, out_w, _ = view.rank(output, 4)
    view.shape(output, (batch, out_h, out_w, channels))
    padding = view.choice("padding", "SAME", "VALID")
    stride_h, stride_w = view.integer("stride_h"), view.integer("stride_w")
    count_h, pad_h = axis_padding(view, padding, out_h, taps_h, stride_h)
    count_w, pad_w = axis_padding(view, padding, out_w, taps_w, stride_w)
    view.shape(input_, (batch, count_h, count_w, depth))
    fields = {
        "input_offset": -view.quantization(input_)[1],
        "output_offset": view.quantization(output)[1],
        **activation_range(view, output),
        "stride_h": stride_h,
        "stride_w": stride_w,
        "dilation_h": 1,
        "dilation_w": 1,
        "pad_h": pad_h,
        "pad_w": pad_w,
        "depth_multiplier": 1,
        "columns_bytes": 0,
    }
    return Struct("params", "ear_conv_t", fields)


def _convolution(
    view: OpView,
    params: Struct,
    scales: Struct,
    input_: Tensor,
    filter_: Tensor,
    weights: Weights,
    bias: tuple,
    output: Tensor,
) -> KernelCall:
    made = call(
        f"ear_transpose_conv_{SHORT[input_.dtype]}",
        params,
        scales,
        dims("input_dims", input_.shape),
        view.read(input_),
        dims("filter_dims", filter_.shape),
        weights.struct,
        weights.scratch,
        *bias,
        dims("output_dims", output.shape),
        view.write(output),
    )
    return weights.belong_to(made)


def batch_matmul(view: OpView) -> KernelCall:
    view.arity(2, 2)
    left = view.input(0, "int8", "int16")
    right, output = view.input(1, left.dtype), view.output(left.dtype)
    symmetric(view, left, right, output)
    sizes, depth = _matrices(view, left, right, output)
    (left_scale, left_point), (right_scale, right_point) = map(view.quantization, (left, right))
    scale, point = view.quantization(output)
    _check_depth(view, left.dtype, depth, left_point, right_point)
    what = "inputs and output"
    pair = multiplier(view, float(left_scale) * float(right_scale) / float(scale), what)
    if left.dtype == "int16":
        pair = rounded_once(view, pair, what)
    fields = {
        "left_offset": -left_point,
        "right_offset": -right_point,
        "output_offset": point,
        "multiplier": pair[0],
        "shift": pair[1],
        **sizes,
    }
    return call(
        f"ear_batch_matmul_{SHORT[left.dtype]}",
        Struct("params", "ear_batch_matmul_t", fields),
        view.read(left, "left"),
        view.read(right, "right"),
        view.write(output),
    )


def _matrices(
    view: OpView, left: Tensor, right: Tensor, output: Tensor
) -> tuple[dict[str, int | tuple[int, ...]], int]:
    """Return sizes and strides, and the products in a sum."""
    rank = max(len(left.shape), len(right.shape))
    if min(len(left.shape), len(right.shape)) < 2 or rank > _BATCH_DIMS + 2:
        raise view.fail(
            f"inputs have shapes {list(left.shape)} and {list(right.shape)}; "
            f"supported: 2 to {_BATCH_DIMS + 2} dimensions"
        )
    adj_left, adj_right = view.boolean("adj_x"), view.boolean("adj_y")
    rows, depth = left.shape[:-3:-1] if adj_left else left.shape[-2:]
    taken, columns = right.shape[:-3:-1] if adj_right else right.shape[-2:]
    batches = [_leading(tensor) for tensor in (left, right)]
    broadcast = all(a == b or 1 in (a, b) for a, b in zip(*batches, strict=True))
    if depth != taken or not broadcast:
        raise view.fail(
            f"shapes {list(left.shape)} and {list(right.shape)}, adj_x {adj_left} and adj_y "
            f"{adj_right} do not fit for a product"
        )
    whole = tuple(map(max, *batches))
    view.shape(output, (*whole[_BATCH_DIMS + 2 - rank :], rows, columns))
    sizes = {
        "batches": whole,
        "left_batch_stride": _strides(batches[0], rows * depth),
        "right_batch_stride": _strides(batches[1], depth * columns),
        "rows": rows,
        "columns": columns,
        "depth": depth,
        "left_row_stride": 1 if adj_left else depth,
        "left_depth_stride": rows if adj_left else 1,
        "right_depth_stride": 1 if adj_right else columns,
        "right_column_stride": depth if adj_right else 1,
    }
    return sizes, depth


def _leading(tensor: Tensor) -> tuple[int, ...]:
    return (1,) * (_BATCH_DIMS + 2 - len(tensor.shape)) + tensor.shape[:-2]


def _strides(batches: tuple[int, ...], matrix: int) -> tuple[int, ...]:
    inner = list(itertools.accumulate(reversed(batches[1:]), lambda a, b: a * b, initial=matrix))
    return tuple(0 if n == 1 else s for n, s in zip(batches, reversed(inner), strict=True))


def _check_depth(view: OpView, dtype: str, depth: int, *points: int) -> None:
    info = np.iinfo(dtype)
    reach = 1
    for point in points:
        reach *= max(abs(info.min - point), abs(info.max - point))
    most = MAX_SUM if dtype == "int16" else INT32_MAX
    if depth * reach > most:
        raise view.fail(f"its sums can reach {depth * reach:,}; the accumulator holds {most:,}")
