"""Weights onto a grid: float weights and a scheme become int8 values, scales and levels.

Numpy only, deterministic. real weight = scale * level, level an integer in -127..127. Refused:
weights that are not finite, or that have no such axis.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeasr.errors import InputError
from edgeasr.quantize.codebooks import fit_table
from edgeasr.quantize.scales import largest_scales, least_squares_scales, nearest
from edgeasr.quantize.schemes import LARGEST_LEVEL

if TYPE_CHECKING:
    from edgeasr.quantize.schemes import Scheme

_LEAST_SCALE = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True, eq=False)
class GridWeights:
    """Weights on a grid.

    values: int8, the shape of the weights; each a level. scales: float32, [channels] or [1], above
    0. levels: int8 [tables, k], ascending in each row; channel c has row c // ceil(channels /
    tables). axis: that of the output channels.
    """

    values: np.ndarray
    scales: np.ndarray
    levels: np.ndarray
    axis: int

    def real(self) -> np.ndarray:
        """Return the weights as float32, each the float32 product of its scale and its level."""
        return self.values.astype(np.float32) * _along(self.scales, self.values.ndim, self.axis)


def fit(
    weights: np.ndarray, scheme: Scheme, axis: int, importance: np.ndarray | None = None
) -> GridWeights:
    """Return the weights on the grid of the scheme that fits them best.

    weights: float of any shape; axis: that of output channels. importance: what an error's square
    is multiplied by, 0 or more, of a shape that broadcasts to the weights' (default: 1 each). A
    channel of zeros gets the largest scale of the others, or 1/127 where all are zero.
    """
    rows = _rows(weights, axis)
    weight = None
    if importance is not None:
        weight = _rows(np.broadcast_to(importance, np.shape(weights)), axis)
        if weight.min() < 0:
            raise InputError(f"quantize: importance of {weight.min():g}; 0 or more is needed")
    levels = scheme.levels()
    if levels is None:
        scales, tables = _fit_codebook(rows, scheme, weight)
    else:
        tables = levels[None]
        scales = _fit_scales(rows, scheme, levels.astype(np.float64), weight)
    scales = _usable(scales)
    return assign(weights, scales, tables, axis)


def assign(weights: np.ndarray, scales: np.ndarray, levels: np.ndarray, axis: int) -> GridWeights:
    """Return each weight's nearest point of a given grid.

    scales: [channels] or [1]; levels: [tables, k] or [k], integers in -127..127, ascending. A
    weight in the middle of two levels takes the one nearer zero.
    """
    rows = _rows(weights, axis)
    scales = np.asarray(scales, np.float32).reshape(-1)
    tables = np.atleast_2d(np.asarray(levels)).astype(np.int8)
    if len(scales) not in (1, len(rows)) or not (np.isfinite(scales) & (scales > 0)).all():
        raise InputError(
            f"quantize: {len(scales)} scales for {len(rows)} channels; "
            "one, or one each, all finite and above 0, are needed"
        )
    group = -(-len(rows) // len(tables))
    ratios = rows / np.broadcast_to(scales.astype(np.float64), len(rows))[:, None]
    values = np.empty(rows.shape, np.int8)
    for place, table in enumerate(tables):
        part = slice(place * group, (place + 1) * group)
        values[part] = table[nearest(ratios[part], table)]
    moved = np.moveaxis(np.asarray(weights), axis, 0).shape
    shaped = np.ascontiguousarray(np.moveaxis(values.reshape(moved), 0, axis))
    return GridWeights(shaped, scales, tables, axis % np.ndim(weights))


def sqnr_db(real: np.ndarray, approximate: np.ndarray) -> float:
    """Return 10 log10(signal power / error power): inf without an error, -inf without a signal."""
    real = np.asarray(real, np.float64)
    signal = float(np.sum(real**2))
    noise = float(np.sum((real - np.asarray(approximate, np.float64)) ** 2))
    if noise == 0:
        return float("inf")
    return 10 * float(np.log10(signal / noise)) if signal else float("-inf")


def _rows(weights: np.ndarray, axis: int) -> np.ndarray:
    """Return [channels, weights of one] in double precision."""
    weights = np.asarray(weights)
    if not -weights.ndim <= axis < weights.ndim or not weights.size:
        raise InputError(
            f"quantize: weights of shape {list(weights.shape)} have no channels along axis {axis}"
        )
    if not np.isfinite(weights).all():
        bad = weights[~np.isfinite(weights)].flat[0]
        raise InputError(f"quantize: a weight of {bad}; weights must be finite; train again")
    moved = np.moveaxis(weights, axis, 0).astype(np.float64)
    return moved.reshape(len(moved), -1)


def _along(scales: np.ndarray, ndim: int, axis: int) -> np.ndarray:
    shape = [1] * ndim
    shape[axis] = len(scales)
    return scales.reshape(shape)


def _usable(scales: np.ndarray) -> np.ndarray:
    """Replace 0, which a channel of zeros gave, and round to float32."""
    largest = float(scales.max()) or 1 / 127
    return np.maximum(np.where(scales > 0, scales, largest), _LEAST_SCALE).astype(np.float32)


def _fit_scales(
    rows: np.ndarray, scheme: Scheme, levels: np.ndarray, weight: np.ndarray | None
) -> np.ndarray:
    """Return a scale per channel (or one) for fixed levels; 0 for a channel of zeros."""
    group = scheme.group_of(len(rows))
    parts = [slice(start, start + group) for start in range(0, len(rows), group)]
    if group == 1:
        return _row_scales(rows, scheme, levels, weight)
    found = [
        _row_scales(
            rows[part].reshape(1, -1),
            scheme,
            levels,
            None if weight is None else weight[part].reshape(1, -1),
        )
        for part in parts
    ]
    if scheme.granularity == "tensor":
        return np.concatenate(found)
    return np.repeat(np.concatenate(found), group)[: len(rows)]


def _row_scales(
    rows: np.ndarray, scheme: Scheme, levels: np.ndarray, weight: np.ndarray | None
) -> np.ndarray:
    if scheme.rule == "percentile":
        # Of the magnitudes; both ends of the table take it.
        return np.percentile(np.abs(rows), scheme.percentile, axis=1) / min(-levels[0], levels[-1])
    if scheme.rule == "max":
        return largest_scales(rows, levels)
    return least_squares_scales(rows, levels, weight)


def _fit_codebook(
    rows: np.ndarray, scheme: Scheme, weight: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return scales [channels] or [1], and tables int8 [tables, entries]."""
    if scheme.one_scale:
        rows = rows.reshape(1, -1)
        weight = None if weight is None else weight.reshape(1, -1)
    group = scheme.group_of(len(rows))
    scales = _usable(_magnitudes(rows, scheme)).astype(np.float64)
    fixed = scheme.rule in ("max", "percentile")
    tables = []
    for start in range(0, len(rows), group):
        part = slice(start, start + group)
        own = None if weight is None else weight[part]
        scales[part], table = fit_table(
            rows[part], scheme.size, scales[part], own, fixed_scales=fixed
        )
        tables.append(table)
    return np.where(np.abs(rows).max(1) > 0, scales, 0.0), np.stack(tables)


def _magnitudes(rows: np.ndarray, scheme: Scheme) -> np.ndarray:
    return np.percentile(np.abs(rows), scheme.percentile, axis=1) / LARGEST_LEVEL
