"""Bias, scales and weights of a layer, as the kernels for NEON take them."""

from dataclasses import replace

import numpy as np

from edgeasr.codegen.call import Array, Struct
from edgeasr.codegen.lower.quantized import Weights, multiplier, packed_weights
from edgeasr.codegen.lower.view import OpView
from edgeasr.codegen.packing import pack_raw
from edgeasr.graph import Tensor

CHANNELS, DEPTH, COLUMNS = 4, 16, 4


def ends(
    view: OpView,
    factors: list[float],
    sums: np.ndarray,
    bias: Tensor | None,
    params: dict[str, int],
) -> Struct | None:
    """Return the ear_ends_neon_t of a layer; None where a factor is half or more.

    sums: those of the weights of each output channel, to which the input offset is applied.
    """
    pairs = [multiplier(view, factor, "input, weights and output") for factor in factors]
    if any(shift >= 0 for _, shift in pairs):
        return None
    scales = np.array(np.broadcast_to(np.array(pairs), (len(sums), 2)))
    start = sums.astype(np.int64) * params["input_offset"]
    if bias is not None:
        start += view.constant(bias).reshape(-1).astype(np.int64)
    return Struct(
        "ends",
        "ear_ends_neon_t",
        {
            "bias": _table("bias", start),
            "multipliers": _table("multipliers", scales[:, 0]),
            "shifts": _table("shifts", scales[:, 1]),
            "zero_point": params["output_offset"],
            "low": params["output_min"],
            "high": params["output_max"],
        },
    )


def _table(name: str, values: np.ndarray) -> Array:
    padded = np.pad(values, (0, -len(values) % CHANNELS))
    return Array(name, "int32_t", padded.astype(np.uint32).view(np.int32))


def rows_of_weights(view: OpView, rows: np.ndarray) -> Weights | None:
    """Return weights [output channels, depth] with both padded; None for what kernels do not take.

    Weights of -128 are not taken, nor packed ones that are padded or in blocks of part of a tile.
    """
    if rows.min() == -128:
        return None
    channels, depth = -rows.shape[0] % CHANNELS, -rows.shape[1] % DEPTH
    weights = packed_weights(view, rows, 0)
    if weights.packed.unpacker is not None:
        return None if channels or depth or weights.packed.block % CHANNELS else weights
    padded = np.pad(rows, ((0, channels), (0, depth)))
    return packed_weights(replace(view, pack=pack_raw), padded, 0)
