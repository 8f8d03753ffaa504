"""Grids: each value on its grid, how far it may lie from the weight, and no surprises."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from edgeasr.errors import InputError
from edgeasr.quantize import codebooks, grids, scales, schemes

FIXED = ("uniform8", "uniform4", "uniform3/tensor", "uniform2/max", "pot4", "pot3/group:2")
FIXED += ("ternary", "table:-64,-16,-4,0,4,16,64", "uniform4/percentile:90", "uniform5/learned")
BOOKS = ("codebook16", "codebook8/channel", "codebook4/group:2", "codebook3/max", "codebook2")
BOOKS += ("codebook16/scales:tensor", "codebook8/percentile:95")
SETTINGS = settings(max_examples=25)
FINITE = st.floats(-1e3, 1e3, width=32)
WEIGHTS = arrays.arrays(
    np.float32, st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(1, 6)), elements=FINITE
)


def fit(weights, text, axis=0, importance=None):
    return grids.fit(weights, schemes.parse(text), axis, importance)


def error(weights, fitted):
    return float(np.sum((weights.astype(np.float64) - fitted.real()) ** 2))


def laplace(shape=(16, 3, 3, 8), seed=1):
    random = np.random.default_rng(seed)
    wide = np.exp(random.normal(size=(shape[0],) + (1,) * (len(shape) - 1)))
    return (random.laplace(size=shape) * wide).astype(np.float32)


@pytest.mark.parametrize("text", FIXED + BOOKS)
@SETTINGS
@given(weights=WEIGHTS)
def test_values_are_levels_of_their_channel_and_fitting_again_is_the_same(text, weights):
    fitted, again = fit(weights, text, 2), fit(weights.copy(), text, 2)
    assert fitted.values.shape == weights.shape
    assert fitted.values.dtype == np.int8
    assert fitted.scales.dtype == np.float32
    assert (fitted.scales > 0).all()
    assert np.isfinite(fitted.scales).all()
    assert np.abs(fitted.levels.astype(int)).max() <= 127
    assert (np.diff(fitted.levels.astype(int), axis=1) >= 0).all()
    group = -(-weights.shape[2] // len(fitted.levels))
    for channel in range(weights.shape[2]):
        table = fitted.levels[channel // group]
        assert np.isin(fitted.values[:, :, channel], table).all()
    assert np.array_equal(fitted.values, again.values)
    assert np.array_equal(fitted.scales, again.scales)


@pytest.mark.parametrize("text", FIXED + BOOKS)
@SETTINGS
@given(weights=WEIGHTS)
def test_values_on_the_grid_stay_where_they_are(text, weights):
    fitted = fit(weights, text)
    again = grids.assign(fitted.real(), fitted.scales, fitted.levels, 0)
    assert np.array_equal(again.real(), fitted.real())


@SETTINGS
@given(weights=WEIGHTS, bits=st.sampled_from([2, 3, 4, 5, 6, 8]))
def test_uniform_errs_by_half_a_step_at_most(weights, bits):
    fitted = fit(weights, f"uniform{bits}/channel/max")
    step = fitted.scales.astype(np.float64)[:, None, None]
    off = np.abs(weights.astype(np.float64) - fitted.values * step)
    assert (off <= step * (0.5 + 1e-5)).all()


@SETTINGS
@given(weights=WEIGHTS, bits=st.sampled_from([3, 4]))
def test_power_of_two_errs_by_a_third_at_most_within_its_range(weights, bits):
    fitted = fit(weights, f"pot{bits}/channel/max")
    step = fitted.scales.astype(np.float64)[:, None, None]
    ratios = weights / step
    off = np.abs(ratios - fitted.values)
    inside = np.abs(ratios) >= 1
    assert (off[inside] <= np.abs(ratios[inside]) * (1 / 3 + 1e-5)).all()
    assert (off[~inside] <= 0.5 + 1e-5).all()


@pytest.mark.parametrize("text", ["uniform4", "uniform8", "pot4/tensor", "ternary", "uniform3/max"])
@SETTINGS
@given(weights=WEIGHTS)
def test_symmetric_grids_know_no_sign(text, weights):
    fitted, mirrored = fit(weights, text), fit(-weights, text)
    assert np.array_equal(fitted.scales, mirrored.scales)
    assert np.array_equal(fitted.values, -mirrored.values)


@pytest.mark.parametrize("text", ["uniform4", "pot4/mse", "ternary", "codebook8/channel"])
@SETTINGS
@given(weights=WEIGHTS, data=st.data())
def test_channels_may_be_permuted(text, weights, data):
    order = data.draw(st.permutations(range(len(weights))))
    fitted, permuted = fit(weights, text), fit(weights[order], text)
    assert np.array_equal(fitted.values[order], permuted.values)
    assert np.array_equal(fitted.scales[order], permuted.scales)


@SETTINGS
@given(weights=WEIGHTS, bits=st.sampled_from([2, 3, 4]))
@example(weights=np.float32([[[39, 13]]]), bits=3)
@example(weights=np.float32([[[313, 104]]]), bits=3)
@pytest.mark.parametrize("shared", ["channel", "tensor"])
@pytest.mark.parametrize("rule", ["max", "mse"])
def test_a_codebook_is_no_worse_than_the_uniform_grid_of_as_many_levels(
    weights, bits, shared, rule
):
    book = fit(weights, f"codebook{2**bits - 1}/{shared}/{rule}")
    uniform = fit(weights, f"uniform{bits}/channel/{rule}")
    # Both scales are rounded to float32, which moves an error by that share of weight and error.
    slack = 1e-6 * np.sqrt(error(weights, uniform) * np.sum(weights.astype(np.float64) ** 2))
    assert error(weights, book) <= error(weights, uniform) * (1 + 1e-5) + slack + 1e-12


@pytest.mark.parametrize("text", ["uniform4", "pot4", "ternary", "uniform2", "uniform3"])
def test_the_search_beats_the_largest_weight_and_every_scale_near_it(text):
    weights = laplace()
    found, largest = fit(weights, f"{text}/mse"), fit(weights, f"{text}/max")
    assert error(weights, found) < 0.95 * error(weights, largest)
    for part in np.linspace(0.5, 2, 31):
        moved = grids.assign(weights, found.scales * part, found.levels, 0)
        assert error(weights, found) <= error(weights, moved) * 1.01


def test_finer_granularity_and_more_levels_err_less():
    weights = laplace()
    for chain in (
        ("uniform2", "uniform3", "uniform4", "uniform5", "uniform6", "uniform8"),
        ("uniform4/tensor", "uniform4/group:4", "uniform4/channel"),
        ("codebook16/scales:tensor", "codebook16/tensor", "codebook16/channel"),
        ("codebook2", "codebook4", "codebook8", "codebook16", "codebook32", "codebook64"),
        ("ternary", "pot3", "pot4"),
    ):
        found = [grids.sqnr_db(weights, fit(weights, text).real()) for text in chain]
        assert found == sorted(found), chain


def test_importance_draws_levels_and_scales_to_the_weights_that_matter():
    weights = laplace((8, 40))
    importance = np.ones((1, 40))
    importance[0, :10] = 100
    for text in ("uniform3", "codebook8", "ternary", "uniform3/tensor", "codebook4/channel"):
        plain, drawn = fit(weights, text), fit(weights, text, 0, importance)
        part = np.s_[:, :10]
        assert error(
            weights[part], grids.GridWeights(drawn.values[part], drawn.scales, drawn.levels, 0)
        ) < error(
            weights[part], grids.GridWeights(plain.values[part], plain.scales, plain.levels, 0)
        ), text


@pytest.mark.parametrize("text", FIXED + BOOKS)
def test_zeros_and_single_weights(text):
    zeros = fit(np.zeros((3, 2), np.float32), text)
    assert not zeros.real().any()
    assert np.array_equal(zeros.scales, np.full(len(zeros.scales), np.float32(1 / 127)))
    single = np.full((1, 1), -0.37, np.float32)
    assert fit(single, text).real() == pytest.approx(single, rel=1e-2)


def test_a_channel_of_zeros_takes_the_largest_scale_of_the_others():
    weights = laplace((3, 20))
    weights[1] = 0
    for text in ("uniform4", "codebook8", "codebook8/channel", "ternary/max"):
        fitted = fit(weights, text)
        assert fitted.scales[1] == max(fitted.scales[0], fitted.scales[2])
    assert not fit(weights, "uniform4").values[1].any()


def test_the_smallest_weights_have_a_usable_scale():
    fitted = fit(np.full((1, 2), 1e-44, np.float32), "uniform4")
    assert fitted.scales[0] >= np.finfo(np.float32).tiny


def test_a_tie_goes_to_the_level_nearer_zero():
    levels = np.array([-64, -4, 0, 4, 64])
    values = np.array([-34, -2, 0, 2, 34, -35, 35, -3, 3])
    assert levels[scales.nearest(values, levels)].tolist() == [-4, 0, 0, 0, 4, -64, 64, -4, 4]


def test_axes_of_the_three_kinds_of_layer():
    weights = laplace((4, 3, 2, 6))
    for axis, channels in ((0, 4), (3, 6), (-1, 6)):
        fitted = fit(weights, "uniform8", axis)
        assert len(fitted.scales) == channels
        assert grids.sqnr_db(weights, fitted.real()) > 35


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers_are_refused(bad):
    weights = laplace((2, 4))
    weights[1, 1] = bad
    with pytest.raises(InputError, match="must be finite"):
        fit(weights, "uniform4")


def test_no_such_axis_and_no_such_scales():
    with pytest.raises(InputError, match="no channels along axis 2"):
        fit(np.ones((2, 2), np.float32), "uniform4", 2)
    with pytest.raises(InputError, match="no channels along axis 0"):
        fit(np.ones((0, 2), np.float32), "uniform4")
    with pytest.raises(InputError, match="3 scales for 2 channels"):
        grids.assign(np.ones((2, 2)), np.ones(3), np.array([-1, 1]), 0)


def test_importance_below_zero_is_refused():
    with pytest.raises(InputError, match="importance"):
        fit(np.ones((2, 2), np.float32), "uniform4", 0, np.full((2, 2), -1.0))


@SETTINGS
@given(
    values=arrays.arrays(np.float64, st.integers(1, 60), elements=st.floats(-100, 100)),
    entries=st.integers(2, 9),
)
def test_lloyd_never_raises_the_error_and_ends_in_means(values, entries):
    start = np.linspace(values.min(), values.max(), entries)
    centres = codebooks.lloyd(values, start)
    assert len(centres) == entries
    assert (np.diff(centres) >= 0).all()

    def squared(levels):
        return np.min((values[:, None] - levels) ** 2, axis=1).sum()

    assert squared(centres) <= squared(start) + 1e-9


def test_lloyd_finds_clusters_although_centres_start_without_any():
    values = np.concatenate([np.full(50, 0.0), np.full(5, 10.0), np.full(5, 11.0)])
    assert codebooks.lloyd(values, np.array([-3.0, -2.0, 0.0])).tolist() == [0.0, 10.0, 11.0]


def test_sqnr():
    assert grids.sqnr_db(np.ones(4), np.full(4, 0.9)) == pytest.approx(20)
    assert grids.sqnr_db(np.ones(4), np.ones(4)) == np.inf
    assert grids.sqnr_db(np.zeros(4), np.ones(4)) == -np.inf
