"""Weights become a codebook: k levels of their own, by k-means in one dimension.

Source: Han, Mao, Dally, "Deep Compression", 2016, section 3, here with a scale per channel, so that
the levels are int8 and channels of different size can share them.
"""

import numpy as np

from edgeasr.quantize.scales import (
    best_scales,
    least_squares_scales,
    squared_errors,
)
from edgeasr.quantize.schemes import LARGEST_LEVEL

_LLOYD_ROUNDS = 100
# Rounds of levels, then scales, then levels, for channels that share a table.
_ALTERNATIONS = 6


def lloyd(values: np.ndarray, start: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """Return k ascending centres of 1-D values, from k start centres, by Lloyd's algorithm.

    weight: of each value's squared error, 0 or more. A centre that no value is nearest to moves to
    the value with the largest error; with fewer distinct values than centres, some repeat.
    """
    weight = np.ones(len(values)) if weight is None else weight
    order = np.lexsort((weight, values))
    values, weight = values[order], weight[order]
    mass = np.concatenate([[0.0], np.cumsum(weight)])
    moment = np.concatenate([[0.0], np.cumsum(weight * values)])
    centres, before = np.sort(start.astype(np.float64)), None
    for _ in range(_LLOYD_ROUNDS):
        ends = np.searchsorted(values, (centres[1:] + centres[:-1]) / 2, side="right")
        bounds = np.concatenate([[0], ends, [len(values)]])
        if before is not None and np.array_equal(bounds, before):
            break
        own = np.diff(mass[bounds])
        filled = own > 0
        means = np.diff(moment[bounds])[filled] / own[filled]
        centres = centres.copy()
        # Rounding of the sums may carry a mean beyond the values that it is of.
        centres[filled] = means.clip(values[bounds[:-1][filled]], values[bounds[1:][filled] - 1])
        before = bounds
        if not filled.all() and _revive(centres, int(np.argmin(filled)), values, weight, bounds):
            before = None
    return centres


def _revive(
    centres: np.ndarray, dead: int, values: np.ndarray, weight: np.ndarray, bounds: np.ndarray
) -> bool:
    """Move one centre without values to the value of largest error; False when there is none."""
    errors = weight * (values - np.repeat(centres, np.diff(bounds))) ** 2
    worst = int(np.argmax(errors))
    if errors[worst] == 0:
        return False
    centres[dead] = values[worst]
    centres.sort()
    return True


def fit_table(
    rows: np.ndarray,
    entries: int,
    scales: np.ndarray,
    weight: np.ndarray | None,
    *,
    fixed_scales: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the scales [channels] and the table int8 [entries] for channels that share it.

    rows: [channels, m]; scales: those to begin with, above 0; the ratios between them are kept
    with fixed_scales. Never worse than the uniform grid of as many (or one less) entries whose
    scales are found in the same way.
    """
    top = (entries - 1) // 2
    uniform = np.arange(-top, top + 1) * float(LARGEST_LEVEL // max(top, 1))
    candidates = []
    if top:
        grid_scales = scales * (LARGEST_LEVEL / uniform[-1])
        if not fixed_scales:
            found = least_squares_scales(rows, uniform, weight)
            grid_scales = np.where(found > 0, found, grid_scales)
        grid = np.sort(np.append(uniform, [0.0] * (entries - len(uniform))))
        candidates.append((grid_scales, grid))
        candidates.append((grid_scales, _centres(rows, grid_scales, grid, weight)))
    ratios = (rows / scales[:, None]).ravel()
    for start in (
        np.quantile(ratios, (np.arange(entries) + 0.5) / entries),
        np.linspace(ratios.min(), ratios.max(), entries),
    ):
        candidates.append((scales, _centres(rows, scales, start, weight)))
    if not fixed_scales and len(rows) > 1:
        candidates += [_alternate(rows, *pair, weight) for pair in candidates[1:]]
    rounded = [_round(*pair) for pair in candidates]
    # The uniform grid is whole as it is; stretched, its steps would no longer be even.
    rounded += candidates[:1] if top else []
    if not fixed_scales:
        rounded += [(best_scales(rows, *pair, weight), pair[1]) for pair in rounded]
    errors = [squared_errors(rows, *pair, weight).sum() for pair in rounded]
    found, table = rounded[int(np.argmin(errors))]
    return found, table.astype(np.int8)


def _centres(
    rows: np.ndarray, scales: np.ndarray, start: np.ndarray, weight: np.ndarray | None
) -> np.ndarray:
    """Run Lloyd on weights over scales, each error counted in units of weights."""
    power = np.broadcast_to(scales[:, None] ** 2, rows.shape)
    power = power if weight is None else power * weight
    return lloyd((rows / scales[:, None]).ravel(), start, power.ravel())


def _alternate(
    rows: np.ndarray, scales: np.ndarray, centres: np.ndarray, weight: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    for _ in range(_ALTERNATIONS):
        scales = best_scales(rows, scales, centres, weight)
        centres = _centres(rows, scales, centres, weight)
    return scales, centres


def _round(scales: np.ndarray, centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Stretch the centres so that the largest is 127, and round them."""
    stretch = float(np.abs(centres).max()) / LARGEST_LEVEL or 1.0
    return scales * stretch, np.rint(centres / stretch)
