"""Weights go onto a grid so that a layer's sums, not its weights, err least.

Minimises E|t - q·x - b|² over points q of the grid, its scales and the bias b, where x are the
layer's inputs in the quantized model and t the sums of the original model: later weights make good
what earlier ones, and earlier layers, did. Sources: Hubara et al., "Accurate Post Training
Quantization With Small Calibration Sets", 2021 (layer by layer, on quantized inputs); Frantar and
Alistarh, "Optimal Brain Compression", 2022 (the quadratic form); here minimised by coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeasr.errors import InputError
from edgeasr.quantize import grids
from edgeasr.quantize.grids import GridWeights
from edgeasr.quantize.scales import nearest

if TYPE_CHECKING:
    from edgeasr.quantize.calibration import Moments
    from edgeasr.quantize.schemes import Scheme

# Share of the mean power of inputs that is added to each, as in GPTQ (Frantar et al., 2022): holds
# weights whose inputs the calibration hardly moves where they were.
_DAMPING = 0.01
_LEAST_POWER = 1e-12
_STARTS = (0.7, 0.8, 0.9, 1.0, 1.1, 1.2)  # Scales to begin from, in parts of the best for weights.
_ROUNDS = 3  # Of levels, then scales.
_PASSES = 6  # Over all taps, until no level changes.
MOST_TAPS = 6000  # The quadratic form of as many takes 288 MB.


@dataclass(eq=False)
class _Form:
    """(q - target)ᵀ H (q - target) for channels [C, K]; matrix: H [G, K, K]."""

    matrix: np.ndarray
    target: np.ndarray

    def __post_init__(self) -> None:
        repeats = len(self.target) // len(self.matrix)
        self.power = np.repeat(np.einsum("gkk->gk", self.matrix), repeats, axis=0)

    def times(self, rows: np.ndarray) -> np.ndarray:
        grouped = rows.reshape(len(self.matrix), -1, rows.shape[1])
        return (grouped @ self.matrix).reshape(rows.shape)

    def column(self, tap: int, factors: np.ndarray) -> np.ndarray:
        """Return each channel's factor times row `tap` of its matrix."""
        grouped = factors.reshape(len(self.matrix), -1, 1)
        return (grouped * self.matrix[:, None, tap]).reshape(self.target.shape)

    def errors(self, rows: np.ndarray) -> np.ndarray:
        apart = rows - self.target
        return (apart * self.times(apart)).sum(1)


def reconstruct(weights: np.ndarray, axis: int, scheme: Scheme, seen: Moments) -> GridWeights:
    """Return the weights on the grid of the scheme; `bias` then gives the bias to go with them.

    weights: float32 of the layer's shape; seen: the moments of its inputs. Raises InputError for a
    layer with more than 6,000 taps.
    """
    rows = _rows(weights, axis)
    if rows.shape[1] > MOST_TAPS:
        raise InputError(
            f"quantize: {rows.shape[1]:,} weights a channel; compensated rounding takes "
            f'{MOST_TAPS:,} at most; use rounding "nearest"'
        )
    form = _form(rows, seen)
    start = grids.fit(
        _shaped(form.target, weights, axis).astype(np.float32),
        scheme,
        axis,
        _shaped(form.power, weights, axis),
    )
    tables = np.repeat(start.levels, -(-len(rows) // len(start.levels)), axis=0)[: len(rows)]
    sharing = _sharing(scheme, len(rows))
    first = np.broadcast_to(start.scales.astype(np.float64), len(rows))
    best = None
    for part in _STARTS:
        found = _settle(form, first * part, tables.astype(np.float64), sharing)
        best = found if best is None else _better(best, found, sharing)
    _, scales, levels = best
    kept = scales.astype(np.float32)[: len(start.scales)]
    values = _shaped(levels, weights, axis).astype(np.int8)
    return GridWeights(values, kept, start.levels, start.axis)


def bias(quantized: GridWeights, seen: Moments) -> np.ndarray:
    """Return the bias [channels] with which the sums of quantized weights have the wanted mean.

    Source: Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction",
    2019, section 4.2, with means from calibration.
    """
    rows = _rows(quantized.real(), quantized.axis)
    grouped = rows.reshape(len(seen.mean), -1, rows.shape[1])
    return seen.wanted - (grouped @ seen.mean[:, :, None]).reshape(-1)


def _form(rows: np.ndarray, seen: Moments) -> _Form:
    power = np.einsum("gkk->g", seen.covariance) / rows.shape[1]
    damping = np.maximum(_DAMPING * power, _LEAST_POWER)
    matrix = seen.covariance + damping[:, None, None] * np.eye(rows.shape[1])
    own = np.repeat(damping, len(rows) // len(damping))[:, None]
    wanted = (seen.cross + own * rows).reshape(len(matrix), -1, rows.shape[1])
    target = np.linalg.solve(matrix, wanted.swapaxes(1, 2)).swapaxes(1, 2)
    return _Form(matrix, target.reshape(rows.shape))


def _sharing(scheme: Scheme, channels: int) -> np.ndarray:
    """Return for each channel the number of the scale that it shares."""
    if scheme.kind == "codebook" and not scheme.one_scale:
        return np.arange(channels)
    return np.arange(channels) // scheme.group_of(channels)


def _together(values: np.ndarray, sharing: np.ndarray) -> np.ndarray:
    return np.bincount(sharing, values)[sharing]


def _settle(
    form: _Form, scales: np.ndarray, tables: np.ndarray, sharing: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return errors, scales and levels after turns of levels and scales."""
    ratios = form.target / scales[:, None]
    levels = np.stack([t[nearest(r, t)] for t, r in zip(tables, ratios, strict=True)])
    for turn in range(_ROUNDS + 1):
        levels = _descend(form, scales, levels, tables)
        if turn < _ROUNDS:
            power = _together((levels * form.times(levels)).sum(1), sharing)
            product = _together((levels * form.times(form.target)).sum(1), sharing)
            usable = (power > 0) & (product > 0)
            scales = np.where(usable, product / np.where(usable, power, 1.0), scales)
    return form.errors(levels * scales[:, None]), scales, levels


def _descend(form: _Form, scales: np.ndarray, levels: np.ndarray, tables: np.ndarray) -> np.ndarray:
    """Set each tap in turn to its best level, given all others, until none changes."""
    levels = levels.copy()
    slope = form.times(levels * scales[:, None] - form.target)
    for _ in range(_PASSES):
        before = levels.copy()
        for tap in range(levels.shape[1]):
            best = levels[:, tap] - slope[:, tap] / (form.power[:, tap] * scales)
            new = _nearest(best, tables)
            moved = (new - levels[:, tap]) * scales
            if moved.any():
                slope += form.column(tap, moved)
                levels[:, tap] = new
        if np.array_equal(levels, before):
            break
    return levels


def _nearest(values: np.ndarray, tables: np.ndarray) -> np.ndarray:
    """Return the level nearest to each of values [C] in its table of [C, k]."""
    index = np.abs(values[:, None] - tables).argmin(1)
    return tables[np.arange(len(tables)), index]


def _better(best: tuple, found: tuple, sharing: np.ndarray) -> tuple:
    wins = _together(found[0], sharing) < _together(best[0], sharing)
    return (
        np.where(wins, found[0], best[0]),
        np.where(wins, found[1], best[1]),
        np.where(wins[:, None], found[2], best[2]),
    )


def _rows(weights: np.ndarray, axis: int) -> np.ndarray:
    moved = np.moveaxis(weights, axis, 0)
    return moved.reshape(len(moved), -1).astype(np.float64)


def _shaped(rows: np.ndarray, like: np.ndarray, axis: int) -> np.ndarray:
    return np.moveaxis(rows.reshape(np.moveaxis(like, axis, 0).shape), 0, axis)
