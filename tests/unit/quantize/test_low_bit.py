"""Post-training quantization to few bits: on the grid, near the original, and what it needs."""

import numpy as np
import pytest

from edgeasr import graph
from edgeasr.errors import InputError
from edgeasr.oracle import Oracle
from edgeasr.quantize import grids, low_bit, rewriting, schemes
from tests.conftest import need_package
from tests.unit.quantize.layers import Chain, recogniser

need_package("tflite_micro")


def outputs(content, inputs):
    oracle = Oracle(content)
    return np.stack([oracle.invoke(row).reshape(-1).copy() for row in inputs]).astype(float)


def stored(content, op):
    model = graph.parse(content)
    return model.tensor(model.ops[op].inputs[1])


@pytest.mark.parametrize("text", ["uniform4", "pot4", "ternary", "codebook4", "codebook8/channel"])
def test_all_layers_lie_on_their_grids(text):
    content, scheme = recogniser().content(), schemes.parse(text)
    made = low_bit.quantize_weights(content, scheme)
    for layer in rewriting.read(content):
        wanted = grids.fit(layer.weights, scheme, layer.axis)
        found = stored(made, layer.op.index)
        assert np.array_equal(found.data, wanted.values)
        assert np.array_equal(found.quantization.scales, wanted.scales)


def test_layers_may_have_schemes_of_their_own_or_none():
    content = recogniser().content()
    chosen = {0: schemes.parse("ternary"), 4: schemes.parse("uniform3/tensor")}
    made = low_bit.quantize_weights(content, chosen)
    assert np.unique(stored(made, 0).data).tolist() == [-1, 0, 1]
    assert np.unique(stored(made, 4).data).tolist() == list(range(-3, 4))
    for op in (1, 2, 3):
        assert np.array_equal(stored(made, op).data, stored(content, op).data)


@pytest.mark.parametrize("dtype", ["int8", "int16"])
@pytest.mark.parametrize("text", ["ternary", "pot4", "codebook4", "uniform3"])
def test_compensated_rounding_keeps_outputs_that_it_has_not_seen(text, dtype):
    chain = recogniser(dtype=dtype)
    content, scheme = chain.content(), schemes.parse(text)
    windows, unseen = chain.inputs(120, seed=8), chain.inputs(60, seed=9)
    wanted = outputs(content, unseen)
    apart = {
        rounding: np.mean(
            (outputs(low_bit.quantize_weights(content, scheme, windows, rounding=rounding), unseen)
            - wanted) ** 2
        )
        for rounding in low_bit.ROUNDINGS
    }  # fmt: skip
    assert apart["compensated"] < 0.6 * apart["nearest"]


def test_bias_correction_keeps_the_means_of_outputs():
    chain = recogniser()
    content, scheme = chain.content(), schemes.parse("ternary")
    windows = chain.inputs(100, seed=8)
    wanted = outputs(content, windows).mean(0)
    plain = outputs(low_bit.quantize_weights(content, scheme), windows).mean(0)
    moved = outputs(
        low_bit.quantize_weights(content, scheme, windows, bias_correction=True), windows
    ).mean(0)
    assert np.abs(moved - wanted).max() < 0.6
    assert np.abs(plain - wanted).max() > 3


def test_the_same_windows_give_the_same_bytes_and_progress_is_told():
    chain = recogniser()
    windows, lines = chain.inputs(10), []
    scheme = schemes.parse("codebook4")
    made = [
        low_bit.quantize_weights(
            chain.content(), scheme, windows, rounding="compensated", progress=lines.append
        )
        for _ in range(2)
    ]
    assert made[0] == made[1]
    assert lines[:2] == ["CONV_2D #0, 1 of 5", "DEPTHWISE_CONV_2D #1, 2 of 5"]


def test_a_channel_that_almost_vanished_keeps_its_bias():
    chain = Chain(2, (1, 4)).layer("FULLY_CONNECTED", (2, 4))
    content = chain.content()
    layer = rewriting.read(content)[0]
    values = np.array([[1, -1, 1, 1], [9, 90, -9, 1]], np.int8)
    bias = np.array([20.0, 1.0])
    scales = np.float32([rewriting.least_scales(layer, bias)[0] * 1.01, 0.01])
    faint = rewriting.replace(content, {0: rewriting.LayerWeights(values, scales, bias)})
    made = low_bit.quantize_weights(faint, schemes.parse("uniform8"))
    assert rewriting.read(made)[0].bias == pytest.approx(bias, rel=1e-3)


def test_losses_say_what_each_layer_lost():
    chain = recogniser()
    content, windows = chain.content(), chain.inputs(20)
    made = low_bit.quantize_weights(content, {2: schemes.parse("uniform4")})
    rows = low_bit.losses(content, made, windows)
    assert [row.name for row in rows] == [layer.name for layer in rewriting.read(content)]
    assert [np.isinf(row.weights_db) for row in rows] == [True, True, False, True, True]
    assert [np.isinf(row.activations_db) for row in rows] == [True, True, False, False, False]
    assert 10 < rows[2].weights_db < 30
    assert 10 < rows[2].activations_db < 40
    assert all(row.activations_db is None for row in low_bit.losses(content, made))


def test_losses_are_real_numbers_of_models_with_other_types_of_activations():
    narrow, wide = recogniser(), recogniser(dtype="int16")
    windows = np.clip(narrow.inputs(20), -100, 100)
    own = ((windows.astype(np.int16) + 20) * 256).astype(np.int16)  # steps 256 times finer, from 0
    rows = low_bit.losses(narrow.content(), wide.content(), windows, own)
    assert all(np.isinf(row.weights_db) for row in rows)
    assert all(20 < row.activations_db < 60 for row in rows)
    with pytest.raises(InputError, match="the model takes int16"):
        low_bit.losses(narrow.content(), wide.content(), windows)


def test_correct_counts_the_largest_output():
    chain = recogniser()
    content, windows = chain.content(), chain.inputs(60, seed=1)
    labels = outputs(content, windows).argmax(1)
    assert low_bit.correct(content, windows, labels) == 60
    labels[:7] = (labels[:7] + 1) % 5
    assert low_bit.correct(content, windows, labels) == 53
    with pytest.raises(InputError, match="the model takes int8"):
        low_bit.correct(content, windows.astype(np.int16), labels)


def test_what_is_refused():
    chain = recogniser()
    content, scheme = chain.content(), schemes.parse("ternary")
    with pytest.raises(InputError, match='rounding "best" is not known; allowed: comp'):
        low_bit.quantize_weights(content, scheme, rounding="best")
    with pytest.raises(InputError, match="compensated rounding needs calibration windows"):
        low_bit.quantize_weights(content, scheme, rounding="compensated")
    with pytest.raises(InputError, match="bias correction needs calibration windows"):
        low_bit.quantize_weights(content, scheme, bias_correction=True)
    with pytest.raises(InputError, match="operation #7, which has no constant weights; those"):
        low_bit.quantize_weights(content, {7: scheme})
    with pytest.raises(InputError, match="the model takes int8"):
        low_bit.quantize_weights(
            content, scheme, chain.inputs(3).astype(np.float32), rounding="compensated"
        )


def test_a_layer_too_wide_is_refused_by_name_before_the_work():
    chain = Chain(2, (1, 6001)).layer("FULLY_CONNECTED", (1, 6001))
    windows, lines = chain.inputs(2), []
    with pytest.raises(InputError, match=r"^FULLY_CONNECTED #0 has 6,001 weights a channel; "):
        low_bit.quantize_weights(
            chain.content(),
            schemes.parse("ternary"),
            windows,
            rounding="compensated",
            progress=lines.append,
        )
    assert not lines
