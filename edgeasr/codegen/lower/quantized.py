"""Quantization parameters of a layer, computed with the types and roundings of TFLite-Micro."""

import math
from dataclasses import dataclass, replace

import numpy as np

from edgeasr.codegen import packing
from edgeasr.codegen.call import Array, Function, KernelCall, Scratch, Struct
from edgeasr.codegen.fixedpoint import INT32_MAX, MAX_SHIFT, quantize_multiplier
from edgeasr.codegen.lower.view import RANGES, OpView, named
from edgeasr.codegen.sources import closure
from edgeasr.graph import Tensor

ACTIVATIONS = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")
_LIMITS = {"RELU": (0.0, None), "RELU6": (0.0, 6.0), "RELU_N1_TO_1": (-1.0, 1.0)}


def round_away(x: float) -> int:
    """Round half away from zero, as C's round()."""
    return math.floor(abs(x) + 0.5) * (1 if x >= 0 else -1)


def activation_range(view: OpView, output: Tensor) -> dict[str, int]:
    """Return output_min and output_max for the fused activation, in quantized values.

    The limit is divided by the scale in float32 (CalculateActivationRangeQuantized).
    """
    function = view.choice("fused_activation_function", *ACTIVATIONS)
    scale, zero_point = view.quantization(output)
    low, high = RANGES[output.dtype]
    limits = _LIMITS.get(function, (None, None))
    ends = []
    for limit, most in zip(limits, (low, high), strict=True):
        if limit is None:
            ends.append(most)
            continue
        with np.errstate(over="ignore"):
            steps = float(np.float32(limit) / scale)
        if abs(steps) > INT32_MAX:
            raise view.fail(f"{named(output)} has scale {scale:g}; it is too small for {function}")
        ends.append(min(max(zero_point + round_away(steps), low), high))
    return {"output_min": ends[0], "output_max": ends[1]}


def multiplier(view: OpView, real: float, what: str) -> tuple[int, int]:
    """Return (multiplier, shift) of a real factor, refusing those that the kernels cannot take."""
    if not math.isfinite(real):
        raise view.fail(f"the scales of {what} give the factor {real}; it must be finite")
    value, shift = quantize_multiplier(real)
    if shift > MAX_SHIFT:
        raise view.fail(
            f"the scales of {what} give the factor {real:g}; it must be below 2^{MAX_SHIFT}"
        )
    return value, shift


def below_one(view: OpView, real: float, what: str) -> tuple[int, int]:
    """As multiplier, for a factor that the layer's arithmetic needs above 0 and below 1."""
    value, shift = multiplier(view, real, what)
    if not 0.0 < real < 1.0 or shift > 0:
        raise view.fail(f"the scales of {what} give the factor {real:g}; it must be in (0, 1)")
    return value, shift


def channel_scales(view: OpView, factors: list[float], channels: int) -> Struct:
    """Return the ear_scales_t of a layer with weights: one factor, or one for each channel."""
    pairs = [multiplier(view, factor, "input, weights and output") for factor in factors]
    if len(set(pairs)) == 1:
        pairs = pairs[:1]
    values = np.array([p[0] for p in pairs], np.int32)
    shifts = np.array([p[1] for p in pairs], np.int8)
    return Struct(
        "scales",
        "ear_scales_t",
        {
            "multipliers": Array("multipliers", "int32_t", values),
            "shifts": Array("shifts", "int8_t", shifts),
            "step": 1 if len(pairs) == channels and channels > 1 else 0,
        },
    )


def bias_of(view: OpView, position: int, channels: int, dtype: str = "int32") -> Tensor | None:
    """Return the bias tensor, constant [channels], or None where the layer has none."""
    bias = view.optional(position, dtype)
    if bias is None:
        return None
    if bias.elements != channels:
        raise view.fail(
            f"{named(bias)} has {bias.elements} elements for {channels} output channels"
        )
    view.constant(bias)
    return bias


@dataclass(frozen=True, eq=False)
class Weights:
    """Weights as they go to flash, and the two arguments of a kernel that uses them."""

    packed: packing.Packed
    struct: Struct
    scratch: Scratch

    def belong_to(self, call: KernelCall) -> KernelCall:
        """Return the call with what its weights need: the files that unpack them."""
        unpacker = self.packed.unpacker
        sources = set(call.sources)
        for function in packing.functions(unpacker) if unpacker else ():
            sources.update(closure(f"{function}.c"))
        return replace(call, sources=tuple(sorted(sources)), weights=self.packed)


def weights_of(view: OpView, filter_: Tensor, channel_axis: int) -> Weights:
    """Pack the weights of a layer, int8 or int4 values, as the view says."""
    return packed_weights(view, view.constant(filter_).astype(np.int8), channel_axis)


def packed_weights(view: OpView, values: np.ndarray, channel_axis: int) -> Weights:
    """As weights_of, for int8 values that need not be those of one tensor."""
    packed = view.pack(values, channel_axis)
    return Weights(packed, weights_struct(packed), Scratch(packed.scratch_bytes, "int8_t"))


def weights_struct(packed: packing.Packed) -> Struct:
    """Return the ear_weights_t of packed weights; raw ones have no field but data."""
    is_raw = packed.unpacker is None
    tables = Array("tables", "int8_t", packed.tables) if packed.tables.size else None
    fields = {
        "data": Array("filter", "int8_t" if is_raw else "uint32_t", packed.data),
        "tables": tables,
        "unpack": None if is_raw else Function(packed.unpacker),
        "block": 0 if is_raw else packed.block,
        "unit": 0 if is_raw else packed.unit,
        "unit_words": packed.unit_words,
        "table_units": packed.table_units,
        "entries": packed.tables.shape[1],
        "step": packed.step,
        "base": packed.base,
    }
    return Struct("weights", "ear_weights_t", fields)


def check_accumulator(view: OpView, weights: np.ndarray, offset: int) -> None:
    """Refuse weights, [channels, taps] with any zero point taken off, whose sums could overflow.

    The largest |input + offset| of an int8 input is taken for every tap. A bias is left out: with
    it sums wrap, as in TFLite-Micro.
    """
    reach = max(abs(-128 + offset), abs(127 + offset))
    worst = int((np.abs(weights.astype(np.int64)).sum(axis=1) * reach).max())
    if worst > INT32_MAX:
        raise view.fail(
            f"its sums can reach {worst:,}; the accumulator has 32 bits and holds {INT32_MAX:,}"
        )
