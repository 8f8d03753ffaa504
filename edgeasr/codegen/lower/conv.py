"""CONV_2D and DEPTHWISE_CONV_2D with int8 activations and int8 or int4 weights."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from edgeasr.codegen import columns, extensions
from edgeasr.codegen.call import KernelCall, Scratch, Struct, Value
from edgeasr.codegen.lower.conv_mve import conv_mve
from edgeasr.codegen.lower.conv_neon import conv_neon
from edgeasr.codegen.lower.conv_plain import conv_plain
from edgeasr.codegen.lower.convolution import Convolution, as_convolution, checked, dims
from edgeasr.codegen.lower.depthwise_dsp import depthwise
from edgeasr.codegen.lower.quantized import channel_scales, packed_weights
from edgeasr.codegen.lower.view import OpView, call
from edgeasr.codegen.packing import Packed
from edgeasr.plan import ALIGNMENT

# By extension: what kernels of its own make of a convolution, or None for those of every core.
_OWN: Mapping[str, Callable[[Convolution], KernelCall | None]] = {
    extensions.NONE: conv_plain,
    extensions.DSP: lambda layer: depthwise(layer) or _by_slices(layer),
    extensions.MVE: conv_mve,
    extensions.NEON: conv_neon,
}


def conv_2d(view: OpView) -> KernelCall:
    return _lower(checked(view, depthwise=False))


def depthwise_conv_2d(view: OpView) -> KernelCall:
    return _lower(as_convolution(checked(view, depthwise=True)))


def _lower(layer: Convolution) -> KernelCall:
    own = _OWN.get(layer.view.extension)
    return (own and own(layer)) or _portable(layer)


def _portable(layer: Convolution) -> KernelCall:
    view = layer.view
    before = 0 if layer.depthwise else _columns_bytes(layer)
    weights = packed_weights(view, layer.values, layer.channel_axis)
    plain = "ear_depthwise_conv2d_s8" if layer.depthwise else "ear_conv2d_s8"
    made = call(
        "ear_conv2d_columns_s8" if before else plain,
        Struct("params", "ear_conv_t", {**layer.params, "columns_bytes": before}),
        channel_scales(view, layer.factors, layer.channels),
        dims("input_dims", layer.input.shape),
        view.read(layer.input),
        dims("filter_dims", layer.filter.shape),
        weights.struct,
        replace(weights.scratch, bytes=before + weights.scratch.bytes),
        Value(None) if layer.bias is None else view.read(layer.bias, "bias"),
        dims("output_dims", layer.output.shape),
        view.write(layer.output),
    )
    if before:
        made = _over_input(layer, weights.packed, made)
    return weights.belong_to(made)


def _by_slices(layer: Convolution) -> KernelCall | None:
    """Return ear_conv2d_slices_s8 for a layer whose columns would be too long, else None."""
    filter_, channels = layer.filter.shape, layer.channels
    if layer.depthwise or filter_[3] != layer.input.shape[3] or _columns_bytes(layer):
        return None
    weights = packed_weights(layer.view, layer.values, layer.channel_axis)
    block = channels if weights.packed.unpacker is None else min(weights.packed.block, channels)
    line = filter_[2] * filter_[3]
    rows = columns.slice_rows(filter_[1], line, block, math.prod(layer.output.shape[:3]))
    if not rows:
        return None
    bytes_ = columns.slice_bytes(rows * line, block)
    view = layer.view
    made = call(
        "ear_conv2d_slices_s8",
        Struct("params", "ear_conv_t", {**layer.params, "columns_bytes": bytes_}),
        Value(rows),
        channel_scales(view, layer.factors, channels),
        dims("input_dims", layer.input.shape),
        view.read(layer.input),
        dims("filter_dims", filter_),
        weights.struct,
        Scratch(bytes_ + weights.scratch.bytes, "int32_t"),
        Value(None) if layer.bias is None else view.read(layer.bias, "bias"),
        dims("output_dims", layer.output.shape),
        view.write(layer.output),
    )
    return weights.belong_to(_over_input(layer, weights.packed, made))


def _over_input(layer: Convolution, packed: Packed, made: KernelCall) -> KernelCall:
    """Return the call by columns as one that overwrites its input, where that saves memory."""
    input_, output = layer.input, layer.output
    one_block = packed.unpacker is None or packed.block >= layer.channels
    if not one_block or input_.data is not None or output.shape[0] != 1:
        return made
    ahead = columns.ahead_bytes(_first_reads(layer), layer.channels)
    ahead = max(-(-ahead // ALIGNMENT) * ALIGNMENT, 0)
    if ahead >= output.bytes:
        return made
    return replace(made, overwrites=input_.index, ahead=ahead)


def _first_reads(layer: Convolution) -> list[float]:
    """Return the first byte of the input that each output position reads; infinity where none."""
    params, (_, height, width, depth) = layer.params, layer.input.shape

    def first(at: int, axis: str, taps: int, size: int) -> int | None:
        start = at * params[f"stride_{axis}"] - params[f"pad_{axis}"]
        inside = (start + tap * params[f"dilation_{axis}"] for tap in range(taps))
        return next((place for place in inside if 0 <= place < size), None)

    _, rows, across, _ = layer.output.shape
    tops = [first(y, "h", layer.filter.shape[1], height) for y in range(rows)]
    lefts = [first(x, "w", layer.filter.shape[2], width) for x in range(across)]
    return [
        math.inf if top is None or left is None else (top * width + left) * depth
        for top in tops
        for left in lefts
    ]


def _columns_bytes(layer: Convolution) -> int:
    """Return the scratch for columns, which are of all channels of the input: groups have none."""
    if layer.filter.shape[3] != layer.input.shape[3]:
        return 0
    pointwise = layer.filter.shape[1:3] == (1, 1)
    return columns.scratch_bytes(
        math.prod(layer.filter.shape[1:]), pointwise, math.prod(layer.output.shape[:3])
    )
