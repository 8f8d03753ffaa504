"""FULLY_CONNECTED on int8 for NEON."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edgeasr.codegen.call import KernelCall, Struct
from edgeasr.codegen.lower.ends_neon import COLUMNS, DEPTH, ends, rows_of_weights
from edgeasr.codegen.lower.view import call

if TYPE_CHECKING:
    from edgeasr.codegen.lower.dense import Dense


def dense_neon(layer: Dense) -> KernelCall | None:
    view, params = layer.view, layer.params
    if params["filter_offset"]:
        return None
    sums = layer.values.sum(axis=1, dtype="int64")
    end = ends(view, layer.factors, sums, layer.bias, params)
    weights = rows_of_weights(view, layer.values)
    if end is None or weights is None:
        return None
    depth = params["depth"]
    before = COLUMNS * (depth + -depth % DEPTH) if depth % DEPTH else 0
    made = call(
        "ear_fully_connected_neon_s8",
        Struct("params", "ear_fully_connected_t", params),
        end,
        view.read(layer.input),
        weights.struct,
        replace(weights.scratch, bytes=before + weights.scratch.bytes),
        view.write(layer.output),
    )
    return weights.belong_to(made)
