"""Reconstruction: the error that it minimises is least, and is the one that it says."""

import itertools

import numpy as np
import pytest

from edgeasr.quantize import grids, reconstruction, schemes
from edgeasr.quantize.calibration import Moments


def observed(weights, seed=2, samples=400, groups=1, noise=0.05):
    """Return moments of correlated inputs, and the inputs and wanted sums that they are of."""
    random = np.random.default_rng(seed)
    channels, taps = weights.shape
    x = random.normal(size=(groups, samples, taps)).cumsum(2) + 0.5
    quantized = x + noise * random.normal(size=x.shape)
    t = x @ weights.reshape(groups, -1, taps).swapaxes(1, 2) + 0.7
    apart, wanted = quantized - quantized.mean(1, keepdims=True), t - t.mean(1, keepdims=True)
    moments = Moments(
        apart.swapaxes(1, 2) @ apart / samples,
        (wanted.swapaxes(1, 2) @ apart / samples).reshape(channels, taps),
        quantized.mean(1),
        t.mean(1).reshape(-1),
    )
    return moments, quantized, t


def mean_error(quantized, bias, x, t):
    rows = quantized.real().reshape(len(x), -1, x.shape[2])
    sums = x @ rows.swapaxes(1, 2) + bias.reshape(len(x), 1, -1)
    return float(((sums - t) ** 2).mean())


def laplace(shape, seed=1):
    return np.random.default_rng(seed).laplace(size=shape).astype(np.float32)


TEXTS = ("uniform4", "uniform3/tensor", "uniform2/group:3", "pot4", "pot3/tensor", "ternary")
TEXTS += ("codebook8", "codebook4/channel", "codebook16/scales:tensor", "codebook4/group:3")


@pytest.mark.parametrize("text", [*TEXTS, "table:-64,-9,0,9,64", "uniform4/max"])
@pytest.mark.parametrize("groups", [1, 6])
def test_sums_err_far_less_than_with_nearest_levels(text, groups):
    weights = laplace((6, 12))
    seen, x, t = observed(weights, groups=groups)
    scheme = schemes.parse(text)
    nearest = grids.fit(weights, scheme, 0)
    found = reconstruction.reconstruct(weights, 0, scheme, seen)
    before = mean_error(nearest, reconstruction.bias(nearest, seen), x, t)
    after = mean_error(found, reconstruction.bias(found, seen), x, t)
    assert after < 0.6 * before


@pytest.mark.parametrize("text", TEXTS)
def test_the_result_lies_on_the_grid_of_the_scheme(text):
    weights = laplace((6, 3, 2, 2))
    seen, _, _ = observed(weights.reshape(6, -1))
    scheme = schemes.parse(text)
    found = reconstruction.reconstruct(weights, 0, scheme, seen)
    again = reconstruction.reconstruct(weights, 0, scheme, seen)
    assert np.array_equal(found.values, again.values)
    assert np.array_equal(found.scales, again.scales)
    assert found.values.shape == weights.shape
    group = -(-6 // len(found.levels))
    for channel, values in enumerate(found.values):
        assert np.isin(values, found.levels[channel // group]).all()
    assert len(found.scales) == len(grids.fit(weights, scheme, 0).scales)
    if scheme.kind != "codebook":
        shared = scheme.group_of(6)
        scales = np.broadcast_to(found.scales, 6)
        assert all(len(set(scales[i : i + shared])) == 1 for i in range(0, 6, shared))


def test_axis_three_is_axis_zero_moved():
    weights = laplace((6, 3, 2, 1))
    seen, _, _ = observed(weights.reshape(6, -1), groups=6)
    first = reconstruction.reconstruct(weights, 0, schemes.parse("uniform3"), seen)
    last = reconstruction.reconstruct(
        np.moveaxis(weights, 0, 3), 3, schemes.parse("uniform3"), seen
    )
    assert np.array_equal(np.moveaxis(first.values, 0, 3), last.values)
    assert np.array_equal(reconstruction.bias(first, seen), reconstruction.bias(last, seen))


@pytest.mark.parametrize("seed", range(5))
def test_ternary_comes_near_the_best_of_all(seed):
    weights = laplace((1, 5), seed)
    seen, x, t = observed(weights, seed)
    found = reconstruction.reconstruct(weights, 0, schemes.parse("ternary"), seen)
    error = mean_error(found, reconstruction.bias(found, seen), x, t)
    best = np.inf
    for levels in itertools.product((-1, 0, 1), repeat=5):
        q = np.array(levels, float)
        power = q @ seen.covariance[0] @ q
        if power:
            scale = q @ seen.cross[0] / power
            best = min(best, float(t.var() - 2 * scale * q @ seen.cross[0] + scale**2 * power))
    assert error <= 1.3 * best + 1e-3


def test_a_mean_is_corrected_by_the_bias():
    weights = laplace((4, 6))
    seen, x, t = observed(weights)
    coarse = grids.fit(weights, schemes.parse("ternary"), 0)
    sums = x[0] @ coarse.real().T + reconstruction.bias(coarse, seen)
    assert np.allclose(sums.mean(0), t[0].mean(0))


def test_inputs_that_never_move_leave_weights_where_they_were():
    weights = laplace((3, 4))
    still = Moments(np.zeros((1, 4, 4)), np.zeros((3, 4)), np.ones((1, 4)), np.zeros(3))
    found = reconstruction.reconstruct(weights, 0, schemes.parse("uniform8"), still)
    assert grids.sqnr_db(weights, found.real()) > 35
