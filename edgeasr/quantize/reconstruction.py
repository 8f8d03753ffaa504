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

from edgeasr.quantize import grids
from edgeasr.quantize.grids import GridWeights
from edgeasr.quantize.scales import nearest
from edgeasr.quantize.schemes import LARGEST_LEVEL

if TYPE_CHECKING:
    from edgeasr.quantize.calibration import Moments
    from edgeasr.quantize.schemes import Scheme

# Share of the mean power of inputs that is added to each, as in GPTQ (Frantar et al., 2022): holds
# weights whose inputs the calibration hardly moves where they were.
_DAMPING = 0.01
_LEAST_POWER = 1e-12
_STARTS = (0.7, 0.8, 0.9, 1.0, 1.1, 1.2)  # Scales to begin from, in parts of the best for weights.
_ROUNDS = 3  # Of levels, then scales.
_REFITS = 3  # Of the levels of a codebook.
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

    weights: float32 of the layer's shape, of at most MOST_TAPS a channel (time goes with their
    third power); seen: the moments of its inputs.
    """
    rows = _rows(weights, axis)
    form = _form(rows, seen)
    start = grids.fit(
        _shaped(form.target, weights, axis).astype(np.float32),
        scheme,
        axis,
        _shaped(form.power, weights, axis),
    )
    group = -(-len(rows) // len(start.levels))
    tables = np.repeat(start.levels.astype(np.float64), group, axis=0)[: len(rows)]
    scales = np.broadcast_to(start.scales.astype(np.float64), len(rows))
    search = _Search(form, _sharing(scheme, len(rows)), group)
    best = search.best(scales, tables)
    for _ in range(_REFITS if scheme.kind == "codebook" else 0):
        best = search.better(best, search.best(*search.refitted(best)), search.tabled)
    return GridWeights(
        _shaped(best.levels, weights, axis).astype(np.int8),
        best.scales.astype(np.float32)[: len(start.scales)],
        best.tables[::group].astype(np.int8),
        start.axis,
    )


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


@dataclass(frozen=True, eq=False)
class _Point:
    """A choice for all channels: errors and scales [C], levels [C, K], tables [C, k]."""

    errors: np.ndarray
    scales: np.ndarray
    levels: np.ndarray
    tables: np.ndarray


@dataclass(frozen=True, eq=False)
class _Search:
    """The search for levels and scales, and for tables where they are free.

    sharing: for each channel the number of its scale; group: how many channels share a table.
    """

    form: _Form
    sharing: np.ndarray
    group: int

    @property
    def tabled(self) -> np.ndarray:
        """For each channel the number of its table."""
        return np.arange(len(self.sharing)) // self.group

    def best(self, scales: np.ndarray, tables: np.ndarray) -> _Point:
        """Return the best that several scales lead to, chosen for each that share one."""
        best = self.settle(scales * _STARTS[0], tables)
        for part in _STARTS[1:]:
            best = self.better(best, self.settle(scales * part, tables), self.sharing)
        return best

    def better(self, old: _Point, new: _Point, together: np.ndarray) -> _Point:
        """Return the better point for each set of channels with one number in `together`."""
        wins = _together(new.errors, together) < _together(old.errors, together)
        return _Point(
            np.where(wins, new.errors, old.errors),
            np.where(wins, new.scales, old.scales),
            np.where(wins[:, None], new.levels, old.levels),
            np.where(wins[:, None], new.tables, old.tables),
        )

    def settle(self, scales: np.ndarray, tables: np.ndarray) -> _Point:
        """Return what turns of levels and scales come to from here."""
        form = self.form
        ratios = form.target / scales[:, None]
        levels = np.stack([t[nearest(r, t)] for t, r in zip(tables, ratios, strict=True)])
        for _ in range(_ROUNDS):
            levels = _descend(form, scales, levels, tables)
            power = _together((levels * form.times(levels)).sum(1), self.sharing)
            product = _together((levels * form.times(form.target)).sum(1), self.sharing)
            usable = (power > 0) & (product > 0)
            scales = np.where(usable, product / np.where(usable, power, 1.0), scales)
        levels = _descend(form, scales, levels, tables)
        return _Point(form.errors(levels * scales[:, None]), scales, levels, tables)

    def refitted(self, at: _Point) -> tuple[np.ndarray, np.ndarray]:
        """Return scales and tables of least squares for the entries that each weight has now.

        Levels are whole numbers up to 127; an entry that no weight has stays about where it was.
        """
        form, entries = self.form, at.tables.shape[1]
        index = np.abs(at.levels[..., None] - at.tables[:, None]).argmin(-1)
        chosen = np.eye(entries)[index] * at.scales[:, None, None]  # [C, K, k]
        blocks = chosen.reshape(len(form.matrix), -1, *chosen.shape[1:])
        moved = (form.matrix[:, None] @ blocks).reshape(chosen.shape)
        squares = chosen.swapaxes(1, 2) @ moved
        wanted = (moved * form.target[..., None]).sum(1)
        scales, tables = at.scales.copy(), at.tables.copy()
        for start in range(0, len(scales), self.group):
            part = slice(start, start + self.group)
            left, right = squares[part].sum(0), wanted[part].sum(0)
            ridge = 1e-6 * np.trace(left) / entries + _LEAST_POWER
            table = np.linalg.solve(
                left + ridge * np.eye(entries), right + ridge * at.tables[start]
            )
            stretch = np.abs(table).max() / LARGEST_LEVEL or 1.0
            tables[part] = np.sort(np.rint(table / stretch))
            scales[part] *= stretch
        return scales, tables


def _together(values: np.ndarray, sharing: np.ndarray) -> np.ndarray:
    return np.bincount(sharing, values)[sharing]


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


def _rows(weights: np.ndarray, axis: int) -> np.ndarray:
    moved = np.moveaxis(weights, axis, 0)
    return moved.reshape(len(moved), -1).astype(np.float64)


def _shaped(rows: np.ndarray, like: np.ndarray, axis: int) -> np.ndarray:
    return np.moveaxis(rows.reshape(np.moveaxis(like, axis, 0).shape), 0, axis)
