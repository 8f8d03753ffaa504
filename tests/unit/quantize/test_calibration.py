"""Calibration: the sums that it thinks of are the sums that the kernels make."""

import numpy as np
import pytest

from edgeasr.errors import InputError
from edgeasr.quantize import calibration, rewriting
from tests.conftest import need_package
from tests.unit.quantize.layers import Chain

need_package("tflite_micro")
GEOMETRIES = [
    ("CONV_2D", (5, 3, 3, 4), {}),
    ("CONV_2D", (5, 4, 2, 4), {"stride_h": 2, "stride_w": 3}),
    ("CONV_2D", (5, 3, 2, 4), {"padding": "VALID", "stride_w": 2}),
    ("CONV_2D", (5, 3, 3, 4), {"dilation_h_factor": 2, "dilation_w_factor": 2}),
    ("CONV_2D", (6, 3, 3, 2), {}),
    ("DEPTHWISE_CONV_2D", (1, 3, 3, 4), {"stride_h": 2}),
    ("DEPTHWISE_CONV_2D", (1, 2, 3, 8), {"padding": "VALID"}),
    ("FULLY_CONNECTED", (7, 4), {}),
    ("FULLY_CONNECTED", (7, 9 * 6 * 4), {}),
]


def layer_of(kind, shape, options, dtype):
    chain = Chain(3, (1, 9, 6, 4), dtype).layer(kind, shape, **options)
    return chain, rewriting.read(chain.content())[0]


@pytest.mark.parametrize("dtype", ["int8", "int16"])
@pytest.mark.parametrize(("kind", "shape", "options"), GEOMETRIES)
def test_patches_times_weights_are_the_kernels_sums(kind, shape, options, dtype):
    chain, layer = layer_of(kind, shape, options, dtype)
    inputs = chain.inputs(3)
    output = chain.tensors[-1]
    seen = calibration.capture(chain.content(), [0, output.index], inputs)
    x = calibration.patches(layer, seen[0])
    rows = np.moveaxis(layer.weights, layer.axis, 0).reshape(len(x), -1, x.shape[2])
    sums = x @ rows.swapaxes(1, 2) + layer.bias.reshape(len(x), 1, -1)
    sums = np.moveaxis(sums, 0, 1).reshape(3, *output.shape)
    steps = np.rint(sums / output.quantization.scale) + output.quantization.zero_point
    info = np.iinfo(dtype)
    assert np.abs(steps.clip(info.min, info.max) - seen[output.index]).max() <= 1


@pytest.mark.parametrize(("kind", "shape", "options"), GEOMETRIES)
def test_moments_are_those_of_all_patches(kind, shape, options):
    chain, layer = layer_of(kind, shape, options, "int8")
    original, moved = chain.inputs(70), chain.inputs(70, seed=6)
    found = calibration.moments(layer, original, moved)
    x, own = calibration.patches(layer, moved), calibration.patches(layer, original)
    rows = np.moveaxis(layer.weights, layer.axis, 0).reshape(layer.channels, -1)
    for channel in range(layer.channels):
        group = channel // (layer.channels // len(x))
        t = own[group] @ rows[channel] + layer.bias[channel]
        assert found.wanted[channel] == pytest.approx(t.mean())
        apart = x[group] - x[group].mean(0)
        assert found.mean[group] == pytest.approx(x[group].mean(0))
        assert np.allclose(found.covariance[group], apart.T @ apart / len(apart), atol=1e-9)
        assert np.allclose(found.cross[channel], (t - t.mean()) @ apart / len(t), atol=1e-9)


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        (np.zeros((3, 9, 6, 4), np.float32), "type float32; the model takes int8"),
        (np.zeros((3, 9, 6, 3), np.int8), r"shape \[3, 9, 6, 3\]"),
        (np.zeros((0, 9, 6, 4), np.int8), "n of 1 or more"),
    ],
)
def test_inputs_that_are_not_the_models(inputs, said):
    chain, _ = layer_of("FULLY_CONNECTED", (7, 4), {}, "int8")
    with pytest.raises(InputError, match=said):
        calibration.check_inputs(chain.graph(), inputs)
