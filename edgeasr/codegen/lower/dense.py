"""FULLY_CONNECTED with int8 activations and int8 or int4 weights."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from edgeasr.codegen import extensions
from edgeasr.codegen.call import KernelCall, Struct, Value
from edgeasr.codegen.lower.dense_mve import dense_mve
from edgeasr.codegen.lower.dense_neon import dense_neon
from edgeasr.codegen.lower.quantized import (
    activation_range,
    bias_of,
    channel_scales,
    check_accumulator,
    packed_weights,
)
from edgeasr.codegen.lower.view import OpView, call, named
from edgeasr.graph import Tensor


@dataclass(frozen=True, eq=False)
class Dense:
    """FULLY_CONNECTED on int8 that passed all checks: a kernel can be made from it.

    bias is constant, or None. values: the weights, int8 [units, depth]. factors: input scale *
    filter scale / output scale, one or one for each unit. params: the fields of
    ear_fully_connected_t.
    """

    view: OpView
    input: Tensor
    output: Tensor
    bias: Tensor | None
    values: np.ndarray
    factors: list[float]
    params: dict[str, int]


# By extension: what kernels of its own make of the layer, or None for those of every core.
_OWN: Mapping[str, Callable[[Dense], KernelCall | None]] = {
    extensions.MVE: dense_mve,
    extensions.NEON: dense_neon,
}


def fully_connected(view: OpView) -> KernelCall:
    layer = checked(view)
    own = _OWN.get(view.extension)
    return (own and own(layer)) or _portable(layer)


def _portable(layer: Dense) -> KernelCall:
    view = layer.view
    weights = packed_weights(view, layer.values, 0)
    made = call(
        "ear_fully_connected_s8",
        Struct("params", "ear_fully_connected_t", layer.params),
        channel_scales(view, layer.factors, layer.params["units"]),
        view.read(layer.input),
        weights.struct,
        weights.scratch,
        Value(None) if layer.bias is None else view.read(layer.bias, "bias"),
        view.write(layer.output),
    )
    return weights.belong_to(made)


def checked(view: OpView) -> Dense:
    """Return the layer that a view shows. Raises InputError for what no kernel can do."""
    view.arity(2, 3)
    input_, output = view.input(0, "int8"), view.output("int8")
    filter_ = view.input(1, "int8", "int4")
    view.choice("weights_format", "DEFAULT")
    units, depth = view.rank(filter_, 2)
    rows = rows_of(view, input_, output, units, depth)
    bias = bias_of(view, 2, units)
    factors, filter_offset = factors_of(view, input_, filter_, output)
    input_offset = -view.quantization(input_)[1]
    values = view.constant(filter_).astype(np.int32)
    check_accumulator(view, values + filter_offset, input_offset)
    if filter_offset:  # the kernel adds up both parts of (weight + offset) * input
        check_accumulator(view, np.abs(values) + abs(filter_offset), input_offset)
    params = {
        "input_offset": input_offset,
        "filter_offset": filter_offset,
        "output_offset": view.quantization(output)[1],
        **activation_range(view, output),
        "rows": rows,
        "depth": depth,
        "units": units,
    }
    return Dense(view, input_, output, bias, values.astype(np.int8), factors, params)


def rows_of(view: OpView, input_: Tensor, output: Tensor, units: int, depth: int) -> int:
    rows = input_.elements // depth
    fits = input_.elements == rows * depth and output.elements == rows * units
    if not fits or output.shape[-1:] != (units,):
        raise view.fail(
            f"input shape {list(input_.shape)} and output shape {list(output.shape)} do not fit "
            f"weights of {units} units with {depth} inputs each"
        )
    return rows


def factors_of(
    view: OpView, input_: Tensor, filter_: Tensor, output: Tensor
) -> tuple[list[float], int]:
    """Return the factors in double, one or one for each unit, and minus the weights' zero point.

    TFLite's source multiplies a single weight scale in float32; the reference build keeps double
    there, as it does for one scale per unit, and its bits are what counts.
    """
    scales = view.scales(filter_)
    input_scale, output_scale = view.quantization(input_)[0], view.quantization(output)[0]
    factors = [float(input_scale) * float(s) / float(output_scale) for s in scales.scales]
    if not scales.per_channel:
        return factors, -int(scales.zero_points[0])
    if scales.axis != 0 or len(scales.scales) != filter_.shape[0] or np.any(scales.zero_points):
        raise view.fail(
            f"{named(filter_)} has {len(scales.scales)} scales along axis {scales.axis}; "
            f"per-channel weights have {filter_.shape[0]} along axis 0, and zero points of 0"
        )
    if filter_.dtype == "int4":
        raise view.fail(f"{named(filter_)} is int4 per channel; use one scale for all")
    return factors, 0
