"""The nearest level, and the scale at which rows of weights lie nearest to fixed levels."""

import numpy as np

# Candidates of a scale search, as parts of the scale at which the largest weight meets the largest
# level. Above 1 for grids whose steps grow outwards; the low end is for ternary.
_SEARCH = np.geomspace(0.04, 1.5, 128)
_REFINEMENTS = 8


def nearest(values: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Return the index of the nearest of ascending `levels`; a tie goes to the one nearer zero."""
    levels = np.asarray(levels, np.float64)
    middles = (levels[1:] + levels[:-1]) / 2
    index = np.searchsorted(middles, values, side="left")
    below = values < 0
    index[below] = np.searchsorted(middles, values[below], side="right")
    return index


def quantized(rows: np.ndarray, scales: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Return the nearest level, float64, of each weight of rows [n, m] with scales [n]."""
    safe = np.where(scales > 0, scales, 1.0)[:, None]
    return np.asarray(levels, np.float64)[nearest(rows / safe, levels)]


def squared_errors(
    rows: np.ndarray, scales: np.ndarray, levels: np.ndarray, weight: np.ndarray | None = None
) -> np.ndarray:
    """Return the sum of (weighted) squared errors of each row."""
    squares = (rows - scales[:, None] * quantized(rows, scales, levels)) ** 2
    return (squares if weight is None else squares * weight).sum(1)


def largest_scales(rows: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Return for each row the least scale at which no weight lies outside the levels."""
    return np.maximum(rows.max(1) / float(levels[-1]), rows.min(1) / float(levels[0])).clip(0)


def best_scales(
    rows: np.ndarray, scales: np.ndarray, levels: np.ndarray, weight: np.ndarray | None = None
) -> np.ndarray:
    """Return the scales of least error for the levels that `scales` choose: w·l / l·l."""
    chosen = quantized(rows, scales, levels)
    weighted = chosen if weight is None else chosen * weight
    power, product = (weighted * chosen).sum(1), (weighted * rows).sum(1)
    usable = (power > 0) & (product > 0)
    return np.where(usable, product / np.where(usable, power, 1.0), scales)


def least_squares_scales(
    rows: np.ndarray, levels: np.ndarray, weight: np.ndarray | None = None
) -> np.ndarray:
    """Return for each row of [n, m] the scale of least (weighted) squared error that is found.

    128 candidates and the largest scale; the best is refined by turns of nearest levels and the
    scale that is best for them (which never raises the error), as Li and Liu, "Ternary Weight
    Networks", 2016, do for three levels. 0 for a row of zeros.
    """
    best = largest_scales(rows, levels)
    largest, least = best, squared_errors(rows, best, levels, weight)
    for part in _SEARCH:
        best, least = _better(rows, levels, weight, largest * part, best, least)
    for _ in range(_REFINEMENTS):
        before = best
        candidates = best_scales(rows, best, levels, weight)
        best, least = _better(rows, levels, weight, candidates, best, least)
        if np.array_equal(best, before):
            break
    return best


def _better(
    rows: np.ndarray,
    levels: np.ndarray,
    weight: np.ndarray | None,
    scales: np.ndarray,
    best: np.ndarray,
    least: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    errors = squared_errors(rows, scales, levels, weight)
    better = errors < least
    return np.where(better, scales, best), np.where(better, errors, least)
