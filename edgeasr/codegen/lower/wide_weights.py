"""CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED with int16 activations and int8 weights."""

from dataclasses import dataclass

import numpy as np

from edgeasr.codegen.call import Array, KernelCall, Struct
from edgeasr.codegen.fixedpoint import INT32_MAX
from edgeasr.codegen.lower import convolution, dense
from edgeasr.codegen.lower.quantized import activation_range, multiplier, weights_of
from edgeasr.codegen.lower.view import OpView, call, named
from edgeasr.codegen.lower.wide import symmetric
from edgeasr.graph import Tensor

# What TFLite-Micro's scaling of 64-bit sums takes.
MAX_SUM = (1 << 47) - 1
_MAX_SHIFT = 7
# From here on the kernels need the high word of a product alone.
_LEAST_SHIFT = 17
_REACH = 1 << 15


def conv_2d(view: OpView) -> KernelCall:
    view.arity(2, 3)
    filter_ = view.input(1, "int8")
    view.rank(filter_, 4)
    return _convolution(view, "ear_conv2d_s16", channel_axis=0)


def depthwise_conv_2d(view: OpView) -> KernelCall:
    view.arity(2, 3)
    filter_ = view.input(1, "int8")
    view.rank(filter_, 4)
    return _convolution(view, "ear_depthwise_conv2d_s16", channel_axis=3)


def _convolution(view: OpView, kernel: str, channel_axis: int) -> KernelCall:
    input_, output = view.input(0, "int16"), view.output("int16")
    filter_ = view.input(1, "int8")
    symmetric(view, input_, output)
    channels = filter_.shape[channel_axis]
    depthwise = channel_axis == 3
    depth_multiplier = convolution.depth_multiplier_of(view, input_, filter_) if depthwise else 1
    if not depthwise:
        convolution.check_groups(view, input_, filter_)
    geometry, shape = convolution.geometry_of(view, input_, filter_)
    view.shape(output, (*shape, channels))
    params = Struct(
        "params",
        "ear_conv_t",
        {
            "input_offset": 0,
            "output_offset": 0,
            **activation_range(view, output),
            **geometry,
            "depth_multiplier": depth_multiplier,
            "columns_bytes": 0,
        },
    )
    values = np.moveaxis(view.constant(filter_), channel_axis, 0).reshape(channels, -1)
    end = end_of(view, values, ("int64",) if depthwise else ("int32", "int64"))
    factors = convolution.factors_of(view, input_, filter_, output, channel_axis)
    weights = weights_of(view, filter_, channel_axis)
    made = call(
        kernel,
        params,
        end.struct(view, factors, channels),
        convolution.dims("input_dims", input_.shape),
        view.read(input_),
        convolution.dims("filter_dims", filter_.shape),
        weights.struct,
        weights.scratch,
        convolution.dims("output_dims", output.shape),
        view.write(output),
    )
    return weights.belong_to(made)


def fully_connected(view: OpView) -> KernelCall:
    view.arity(2, 3)
    input_, output = view.input(0, "int16"), view.output("int16")
    filter_ = view.input(1, "int8")
    view.choice("weights_format", "DEFAULT")
    symmetric(view, input_, output)
    units, depth = view.rank(filter_, 2)
    rows = dense.rows_of(view, input_, output, units, depth)
    factors, filter_offset = dense.factors_of(view, input_, filter_, output)
    if filter_offset:
        raise view.fail(f"{named(filter_)} has zero point {-filter_offset}; it must be 0")
    params = Struct(
        "params",
        "ear_fully_connected_t",
        {
            "input_offset": 0,
            "filter_offset": 0,
            "output_offset": 0,
            **activation_range(view, output),
            "rows": rows,
            "depth": depth,
            "units": units,
        },
    )
    end = end_of(view, view.constant(filter_), ("int32", "int64"))
    weights = weights_of(view, filter_, channel_axis=0)
    made = call(
        "ear_fully_connected_s16",
        params,
        end.struct(view, factors, units),
        view.read(input_),
        weights.struct,
        weights.scratch,
        view.write(output),
    )
    return weights.belong_to(made)


def rounded_once(view: OpView, pair: tuple[int, int], what: str) -> tuple[int, int]:
    """Return (factor, right shift) of a multiplier and shift, as 64-bit sums are scaled.

    Of the 31 bits of the multiplier 15 are left, rounded half up.
    """
    value, shift = pair
    if shift > _MAX_SHIFT:
        raise view.fail(
            f"the scales of {what} give the factor {value * 2.0 ** (shift - 31):g}; "
            f"it must be below 2^{_MAX_SHIFT}"
        )
    return min((value + (1 << 15)) >> 16, 0x7FFF), 15 - shift


@dataclass(frozen=True, eq=False)
class End:
    """What follows the sums of a layer.

    bias: int64 [channels] or None; narrow: TFLite-Micro has 32-bit sums; worst: no sum is larger.
    """

    bias: np.ndarray | None
    narrow: bool
    worst: int

    def struct(self, view: OpView, factors: list[float], channels: int) -> Struct:
        """Return the ear_channels_s16_t, with one factor or one for each channel."""
        what = "input, weights and output"
        pairs = [multiplier(view, factor, what) for factor in factors]
        pairs = pairs[:1] if len(set(pairs)) == 1 else pairs
        fits = self.narrow or self.worst <= INT32_MAX
        fields: dict[str, Array | int | None] = {"factors": None, "multipliers": None}
        if self.narrow:
            values = np.array([p[0] for p in pairs], np.int32)
            fields["multipliers"] = Array("multipliers", "int32_t", values)
        else:
            pairs = [rounded_once(view, pair, what) for pair in pairs]
            fields["factors"] = Array(
                "factors", "int16_t", np.array([p[0] for p in pairs], np.int16)
            )
            fits = fits and min(p[1] for p in pairs) >= _LEAST_SHIFT
        fields["shifts"] = Array("shifts", "int8_t", np.array([p[1] for p in pairs], np.int8))
        step = 1 if len(pairs) == channels and channels > 1 else 0
        fields |= {"step": step, "fits": int(fits), **self._bias_fields()}
        return Struct("channels", "ear_channels_s16_t", fields)

    def _bias_fields(self) -> dict[str, Array | None]:
        if self.bias is None:
            return {"bias": None, "bias_high": None}
        low = Array("bias", "int32_t", self.bias.astype(np.uint64).astype(np.uint32).view(np.int32))
        if np.array_equal(low.values, self.bias):
            return {"bias": low, "bias_high": None}
        high = Array("bias_high", "int16_t", (self.bias >> 32).astype(np.int16))
        return {"bias": low, "bias_high": high}


def end_of(
    view: OpView, weights: np.ndarray, bias_types: tuple[str, ...], position: int = 2
) -> End:
    """Look at the bias, which decides the accumulator, and refuse sums that could overflow it.

    weights: [channels, weights of one]. position: of the bias. Without a bias the option
    quantized_bias_type decides.
    """
    bias = view.optional(position, *bias_types)
    values = None
    if bias is not None:
        if bias.elements != len(weights):
            raise view.fail(
                f"{named(bias)} has {bias.elements} elements for {len(weights)} output channels"
            )
        values = view.constant(bias).astype(np.int64).ravel()
    narrow = "int32" in bias_types and _narrow(view, bias)
    sums = np.abs(weights.astype(np.int64)).sum(axis=1) * _REACH
    if values is not None:
        # As Python numbers: |-2^63| is none of int64.
        worst = max(s + abs(b) for s, b in zip(sums.tolist(), values.tolist(), strict=True))
    else:
        worst = int(sums.max())
    if not narrow and worst > MAX_SUM:  # narrow ones wrap, as in TFLite-Micro
        raise view.fail(
            f"its sums can reach {worst:,}; the accumulator has 48 bits and holds {MAX_SUM:,}"
        )
    return End(values, narrow, worst)


def _narrow(view: OpView, bias: Tensor | None) -> bool:
    if bias is not None:
        return bias.dtype == "int32"
    return view.op.options.get("quantized_bias_type") == "INT32"
