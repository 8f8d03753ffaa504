"""Rewriting: what a file's layers are in real numbers, and the file with other ones."""

import dataclasses

import numpy as np
import pytest

from edgeasr import graph
from edgeasr.errors import InputError
from edgeasr.graph import Graph, Op, Tensor
from edgeasr.oracle import Oracle
from edgeasr.quantize import rewriting
from edgeasr.quantize.rewriting import LayerWeights
from tests import tiny
from tests.conftest import need_package
from tests.unit.quantize.layers import Chain, quantized, recogniser
from tests.vectors.kernels.tflite_builder import serialize

need_package("tflite_micro")


def as_it_is(layer, content):
    """Return the very weights of the file, to be written again."""
    tensor = graph.parse(content).tensor(layer.op.inputs[1])
    return LayerWeights(tensor.data, tensor.quantization.scales, layer.bias)


def outputs(content, inputs):
    oracle = Oracle(content)
    return np.stack([oracle.invoke(row).copy() for row in inputs])


@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_the_same_weights_written_again_give_the_same_bits(dtype):
    chain = recogniser(dtype=dtype)
    content, inputs = chain.content(), chain.inputs(8)
    layers = rewriting.read(content)
    assert [layer.name for layer in layers] == [f"{op.kind} #{op.index}" for op in chain.ops]
    again = rewriting.replace(
        content, {layer.op.index: as_it_is(layer, content) for layer in layers}
    )
    assert np.array_equal(outputs(content, inputs), outputs(again, inputs))
    for old, new in zip(layers, rewriting.read(again), strict=True):
        assert np.array_equal(old.weights, new.weights)
        assert np.array_equal(old.bias, new.bias)


def test_layers_are_real_numbers():
    chain = Chain(2, (1, 4, 4, 3)).layer("CONV_2D", (2, 1, 1, 3))
    layer = rewriting.read(chain.content())[0]
    _, weights, bias, _ = chain.tensors
    assert np.array_equal(
        layer.weights, weights.data * weights.quantization.scales.reshape(2, 1, 1, 1)
    )
    assert layer.bias == pytest.approx(bias.data * bias.quantization.scales.astype(float))
    assert (layer.axis, layer.channels, layer.dtype) == (0, 2, "int8")
    assert (layer.input_zero_point, layer.output_zero_point) == (-20, -3)
    assert layer.input_scale == pytest.approx(0.02)


@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_a_dense_layer_takes_a_scale_per_unit(dtype):
    chain = Chain(2, (1, 30), dtype).layer("FULLY_CONNECTED", (6, 30), per_channel=False)
    content, inputs = chain.content(), chain.inputs(20)[:, 0]
    layer = rewriting.read(content)[0]
    values = np.random.default_rng(1).integers(-127, 128, (6, 30)).astype(np.int8)
    scales = np.linspace(0.0002, 0.002, 6).astype(np.float32)
    new = rewriting.replace(content, {0: LayerWeights(values, scales, layer.bias)})
    x = (inputs.reshape(20, 30) - float(layer.input_zero_point)) * layer.input_scale
    sums = x @ (values * scales[:, None]).T + layer.bias
    output = chain.tensors[-1].quantization
    info = np.iinfo(dtype)
    steps = np.rint(sums / output.scale) + output.zero_point
    assert np.abs(outputs(new, inputs)[:, 0] - steps.clip(info.min, info.max)).max() <= 1
    found = graph.parse(new)
    assert found.tensor(found.ops[0].inputs[1]).quantization.axis == 0
    assert found.ops[0].version >= 12


def test_litert_runs_it_to_the_same_bits_but_for_one():
    litert = need_package("ai_edge_litert.interpreter")
    chain = Chain(2, (1, 30)).layer("FULLY_CONNECTED", (6, 30), per_channel=False)
    content, inputs = chain.content(), chain.inputs(20)[:, 0]
    layer = rewriting.read(content)[0]
    values = np.random.default_rng(1).integers(-7, 8, (6, 30)).astype(np.int8)
    scales = np.linspace(0.002, 0.02, 6).astype(np.float32)
    new = rewriting.replace(content, {0: LayerWeights(values, scales, layer.bias)})
    interpreter = litert.Interpreter(model_content=new)
    interpreter.allocate_tensors()
    for row, wanted in zip(inputs, outputs(new, inputs), strict=True):
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], row.reshape(1, 30))
        interpreter.invoke()
        found = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
        assert np.abs(found.astype(int) - wanted).max() <= 1


@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_a_layer_without_bias_gets_one_where_it_needs_it(dtype):
    chain = Chain(2, (1, 4, 4, 3), dtype).layer("CONV_2D", (2, 1, 1, 3), bias=False)
    content, inputs = chain.content(), chain.inputs(4)
    layer = rewriting.read(content)[0]
    assert not layer.bias.any()
    plain = rewriting.replace(content, {0: as_it_is(layer, content)})
    assert graph.parse(plain).ops[0].inputs[2] == -1
    moved = dataclasses.replace(as_it_is(layer, content), bias=np.array([0.3, 0.0]))
    new = rewriting.replace(content, {0: moved})
    before, after = outputs(content, inputs).astype(int), outputs(new, inputs).astype(int)
    rise = round(0.3 / chain.tensors[-1].quantization.scale)
    inside = before[..., 0] < np.iinfo(dtype).max - rise - 1
    assert np.abs((after - before)[..., 0][inside] - rise).max() <= 1
    assert np.array_equal(after[..., 1], before[..., 1])
    bias = graph.parse(new).tensor(graph.parse(new).ops[0].inputs[2])
    assert bias.dtype == ("int32" if dtype == "int8" else "int64")


def test_layers_that_share_weights_part():
    values = np.arange(-4, 5, dtype=np.int8).reshape(3, 3)
    tensors = (
        Tensor(0, "in", (1, 3), "int8", None, quantized(0.1)),
        Tensor(1, "w", (3, 3), "int8", values, quantized(0.02)),
        Tensor(2, "middle", (1, 3), "int8", None, quantized(0.1)),
        Tensor(3, "out", (1, 3), "int8", None, quantized(0.1)),
    )
    options = {"fused_activation_function": "NONE", "weights_format": "DEFAULT"}
    ops = (
        Op(0, "FULLY_CONNECTED", (0, 1, -1), (2,), options),
        Op(1, "FULLY_CONNECTED", (2, 1, -1), (3,), options),
    )
    content = serialize(Graph("main", tensors, ops, (0,), (3,)))
    new = LayerWeights(-values, np.float32([0.02]), np.zeros(3))
    first, second = rewriting.read(rewriting.replace(content, {0: new}))
    assert np.array_equal(first.weights, -second.weights)
    assert np.array_equal(second.weights, rewriting.read(content)[1].weights)


def test_int4_weights_become_int8():
    graph_ = tiny.graph()
    kernel = graph_.tensors[1]
    four = dataclasses.replace(
        kernel, dtype="int4", data=np.clip(kernel.data // 16, -7, 7).astype(np.int8)
    )
    tensors = (*graph_.tensors[:1], four, *graph_.tensors[2:])
    content = serialize(dataclasses.replace(graph_, tensors=tensors))
    layer = rewriting.read(content)[0]
    again = rewriting.replace(content, {0: as_it_is(layer, content)})
    found = graph.parse(again).tensor(1)
    assert found.dtype == "int8"
    assert np.array_equal(found.data, four.data)
    inputs = np.random.default_rng(1).integers(-128, 128, (5, *tensors[0].shape)).astype(np.int8)
    assert np.array_equal(outputs(content, inputs), outputs(again, inputs))


def test_facts_are_kept(tmp_path):
    from edgeasr import speech

    path = tiny.write_model(tmp_path / "tiny.tflite")
    content = path.read_bytes()
    layers = rewriting.read(content)
    path.write_bytes(
        rewriting.replace(content, {layer.op.index: as_it_is(layer, content) for layer in layers})
    )
    assert speech.load(path).facts == tiny.facts()


def test_a_bias_is_rounded_to_the_nearest_integer():
    chain = Chain(2, (1, 4)).layer("FULLY_CONNECTED", (2, 4))
    layer = rewriting.read(chain.content())[0]
    scales = np.float32([0.25, 0.5])
    steps = layer.input_scale * scales.astype(float)
    new = LayerWeights(np.ones((2, 4), np.int8), scales, steps * [3.4, -7.6])
    assert rewriting.integer_bias(layer, new).tolist() == [3, -8]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"values": np.zeros((2, 5), np.int8)}, r"takes int8 weights of shape \[2, 4\], not int8"),
        ({"values": np.zeros((2, 4), np.int16)}, "not int16"),
        ({"scales": np.float32([1, 0])}, "takes 1 or 2 scales, finite and above 0, not 2 from 0"),
        ({"scales": np.ones(3, np.float32)}, "takes 1 or 2 scales"),
        ({"bias": np.array([0, np.nan])}, "takes a finite bias for each of 2 channels"),
        ({"bias": np.zeros(3)}, "takes a finite bias for each of 2 channels"),
        ({"scales": np.float32([1e-9, 1])}, "sums of channel 0 can reach"),
    ],
)
def test_weights_that_do_not_fit_are_refused(change, said):
    chain = Chain(2, (1, 4)).layer("FULLY_CONNECTED", (2, 4))
    good = LayerWeights(np.ones((2, 4), np.int8), np.ones(2, np.float32), np.array([1.0, 2.0]))
    with pytest.raises(InputError, match=said) as caught:
        rewriting.replace(chain.content(), {0: dataclasses.replace(good, **change)})
    assert str(caught.value).startswith("model: FULLY_CONNECTED #0")


def test_the_largest_bias_that_fits_is_held():
    chain = Chain(2, (1, 4)).layer("FULLY_CONNECTED", (2, 4))
    layer = rewriting.read(chain.content())[0]
    bias = np.array([1e3, -1e3])
    scales = (rewriting.least_scales(layer, bias) * 1.001).astype(np.float32)
    new = LayerWeights(np.ones((2, 4), np.int8), scales, bias)
    assert np.abs(rewriting.integer_bias(layer, new)).max() <= 2**30
    rewriting.replace(chain.content(), {0: new})


def test_models_that_cannot_be_read():
    def changed(index, **fields):
        made = tiny.graph()
        tensors = list(made.tensors)
        tensors[index] = dataclasses.replace(tensors[index], **fields)
        return serialize(dataclasses.replace(made, tensors=tuple(tensors)))

    real = tiny.graph().tensors[1].data.astype(np.float32)
    with pytest.raises(
        InputError, match='CONV_2D #0 has weights "kernel" of float32; int8 or int4'
    ):
        rewriting.read(changed(1, dtype="float32", data=real, quantization=None))
    with pytest.raises(InputError, match='has input "features" of float32; int8 or int16'):
        rewriting.read(changed(0, dtype="float32", quantization=None))
    with pytest.raises(InputError, match="scales along axis 3, not 0"):
        rewriting.read(changed(1, shape=(4, 3, 3, 4), data=np.ones((4, 3, 3, 4), np.int8),
                               quantization=quantized(np.ones(4), 0, 3)))  # fmt: skip
    alone = tiny.graph()
    alone = dataclasses.replace(alone, ops=alone.ops[3:], inputs=(7,))
    with pytest.raises(InputError, match="no layer with constant weights; CONV_2D, DEPTH"):
        rewriting.read(serialize(alone))


def test_an_operation_without_weights_is_refused():
    content = serialize(tiny.graph())
    new = LayerWeights(np.ones((1, 1), np.int8), np.ones(1, np.float32), np.zeros(1))
    with pytest.raises(InputError, match=r"#3 has no constant weights; .*CONV_2D #0, FULLY_CON"):
        rewriting.replace(content, {3: new})
