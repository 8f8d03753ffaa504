"""Each ONNX operation computes in Keras what onnx's reference evaluator makes of it, and its int8
form holds no transposition that the original had not."""

import numpy as np
import pytest

from edgeasr import graph, importing
from edgeasr.errors import InputError
from edgeasr.quantize import quantize
from tests.conftest import need_package
from tests.unit.importing.nets import WINDOW, Net, tutorial

need_package("keras")
need_package("onnx")
FRAMES, FEATURES = WINDOW
STEP = {"strides": [2, 2]}


def pictures(**options) -> Net:
    return Net(**options).conv(4, 1, 3, 3, pads=[1, 1, 1, 1])


def ended(net: Net, channels: int = 4) -> Net:
    return net.add("GlobalAveragePool").add("Flatten").dense(channels, 3)


def mel_first() -> Net:
    """[1, 1, features, frames], the order of librosa; kernel and strides unlike on both axes."""
    net = Net((1, 1, FEATURES, FRAMES)).conv(4, 1, 5, 3, pads=[2, 0, 2, 0], strides=[2, 1])
    return net.add("Relu").add("Flatten").dense(4 * 8 * 22, 3)


def over_time() -> Net:
    """Features as channels of a convolution over time, with a residual and a stride."""
    net = Net((1, FRAMES, FEATURES)).add("Transpose", perm=[0, 2, 1])
    net.conv(8, FEATURES, 3, pads=[1, 1]).add("Relu", name="kept")
    net.conv(8, 8, 5, pads=[2, 2]).add("Add", "kept").add("Relu")
    net.conv(8, 8, 9, pads=[4, 4], strides=[2]).add("ReduceMean", np.int64([2]), keepdims=0)
    return net.dense(8, 3)


def flattened_by_frame() -> Net:
    """A dense layer at each frame, over channels and features in ONNX's order."""
    net = pictures().add("Transpose", perm=[0, 2, 1, 3])
    net.add("Reshape", np.int64([1, FRAMES, -1]))
    net.add("MatMul", net.weights(4 * FEATURES, 6, spread=0.1)).add("Add", net.weights(6))
    return net.add("Relu").add("ReduceMean", np.int64([1]), keepdims=0).dense(6, 3)


def squeeze_and_excite() -> Net:
    net = pictures().add("HardSwish", name="kept")
    net.add("ReduceMean", np.int64([2, 3]), keepdims=1).conv(2, 4, 1, 1).add("Relu")
    net.conv(4, 2, 1, 1).add("Sigmoid").add("Mul", "kept")
    return ended(net)


def concatenated() -> Net:
    net = pictures().add("Relu", name="kept").conv(4, 4, 3, 3, pads=[1, 1, 1, 1])
    return ended(net.add("LeakyRelu", alpha=0.1).add("Concat", "kept", axis=1), 8)


def gated() -> Net:
    """A gated linear unit: half of the channels let the other half pass."""
    net = pictures().add("Split", num_outputs=2, axis=1)
    net.nodes[-1].output.append("gate")
    half = net.last
    net.last = "gate"
    return ended(net.add("Sigmoid").add("Mul", half), 2)


def split_apart() -> Net:
    net = pictures(opset=13).add("Split", np.int64([1, 3]), axis=1)
    net.nodes[-1].output.append("rest")
    net.last = "rest"
    return ended(net, 3)


def attention() -> Net:
    """Frames weighted by a softmax over time, and summed."""
    net = Net((1, FRAMES, FEATURES))
    net.add("MatMul", net.weights(FEATURES, 8)).add("Relu", name="kept")
    net.add("MatMul", net.weights(8, 1)).add("Softmax", axis=1).add("Mul", "kept")
    return net.add("ReduceSum", np.int64([1]), keepdims=0).dense(8, 3)


def one_number_each(*shape: int) -> np.ndarray:
    return np.random.default_rng(3).uniform(0.5, 2, shape).astype(np.float32)


NETS = {
    "tutorial": tutorial,
    "mel first": mel_first,
    "over time": over_time,
    "flattened by frame": flattened_by_frame,
    "squeeze and excite": squeeze_and_excite,
    "concatenated": concatenated,
    "gated": gated,
    "split apart": split_apart,
    "attention": attention,
    "stride with symmetric padding": lambda: ended(
        Net().conv(4, 1, 3, 3, pads=[1, 1, 1, 1], strides=[2, 2])
    ),
    "even kernel": lambda: ended(Net().conv(4, 1, 10, 4, pads=[5, 1, 5, 1], strides=[2, 2])),
    "dilated": lambda: ended(Net().conv(4, 1, 3, 3, dilations=[2, 3])),
    "same upper": lambda: ended(Net().conv(4, 1, 4, 4, auto_pad="SAME_UPPER", **STEP)),
    "same lower": lambda: ended(Net().conv(4, 1, 4, 4, auto_pad="SAME_LOWER", **STEP)),
    "depthwise": lambda: ended(pictures().conv(4, 4, 3, 3, group=4, pads=[1] * 4)),
    "depthwise, two of each": lambda: ended(pictures().conv(8, 4, 3, 3, group=4), 8),
    "depthwise, swapped": lambda: ended(
        Net((1, 1, FEATURES, FRAMES)).conv(4, 1, 1, 3).conv(4, 4, 5, 2, group=4)
    ),
    "max pool that reaches over": lambda: ended(
        pictures().add("Relu").add("MaxPool", kernel_shape=[5, 3], ceil_mode=1, strides=[5, 3])
    ),
    "max pool with padding": lambda: ended(
        pictures().add("Relu").add("MaxPool", kernel_shape=[3, 3], pads=[1] * 4, **STEP)
    ),
    "mean pool, padding counted": lambda: ended(
        pictures().add(
            "AveragePool", kernel_shape=[3, 3], pads=[1] * 4, count_include_pad=1, **STEP
        )
    ),
    "mean pool, padding not counted": lambda: ended(
        pictures().add("AveragePool", kernel_shape=[3, 3], pads=[1] * 4)
    ),
    "greatest of all": lambda: pictures().add("GlobalMaxPool").add("Flatten").dense(4, 3),
    "greatest over time": lambda: (
        pictures(opset=13).add("ReduceMax", axes=[2], keepdims=0).add("ReduceMean", axes=[2],
                                                                      keepdims=0).dense(4, 3)
    ),
    "normalised input": lambda: ended(
        Net().norm(1).conv(4, 1, 3, 3)
    ),
    "old normalisation": lambda: ended(Net(opset=9).conv(4, 1, 3, 3).norm(4)),
    "one number for each feature": lambda: ended(
        Net().add("Sub", one_number_each(FEATURES)).add("Div", one_number_each(FEATURES))
        .conv(4, 1, 3, 3)
    ),
    "a number before": lambda: ended(
        Net().add("Sub", np.float32(1.5), "window", last=False).add("Mul", np.float32(2))
        .conv(4, 1, 3, 3)
    ),
    "a number for each channel": lambda: ended(pictures().add("Mul", one_number_each(4, 1, 1))),
    "clip": lambda: ended(pictures().add("Clip", np.float32(0), np.float32(6))),
    "old clip": lambda: ended(pictures(opset=9).add("Clip", min=0.0, max=1.5)),
    "tanh": lambda: ended(pictures().add("Tanh")),
    "mean over time, then over features": lambda: (
        pictures().add("ReduceMean", np.int64([2])).add("ReduceMean", np.int64([-1]), keepdims=0)
        .add("Squeeze", np.int64([2])).dense(4, 3)
    ),
    "mean over features": lambda: (
        pictures().add("ReduceMean", np.int64([3]), keepdims=0).add("Flatten").dense(4 * FRAMES, 3)
    ),
    "mean over channels": lambda: (
        pictures().add("ReduceMean", np.int64([1])).add("Flatten").dense(FRAMES * FEATURES, 3)
    ),
    "hard sigmoid": lambda: ended(pictures().add("HardSigmoid", alpha=1 / 6, beta=0.5)),
    "padded apart": lambda: ended(
        Net().add("Pad", np.int64([0, 0, 1, 2, 0, 0, 3, 0])).conv(4, 1, 3, 3)
    ),
    "differences": lambda: ended(
        pictures().add("Relu", name="kept").conv(4, 4, 1, 1).add("Sub", "kept")
    ),
    "flat window": lambda: Net((1, FRAMES * FEATURES)).dense(FRAMES * FEATURES, 3),
    "flat window as a picture": lambda: ended(
        Net((1, FRAMES * FEATURES)).add("Reshape", np.int64([-1, 1, FRAMES, FEATURES]))
        .conv(4, 1, 3, 3)
    ),
    "squeezed and back": lambda: ended(
        Net().add("Squeeze", np.int64([1])).add("Unsqueeze", np.int64([1])).conv(4, 1, 3, 3)
    ),
    "old squeeze": lambda: ended(
        Net(opset=11).add("Squeeze", axes=[1]).add("Unsqueeze", axes=[-3]).conv(4, 1, 3, 3)
    ),
    "causal, cut at the end": lambda: (
        Net((1, FRAMES, FEATURES)).add("Transpose", perm=[0, 2, 1])
        .conv(8, FEATURES, 3, pads=[2, 2])
        .add("Slice", np.int64([0]), np.int64([-2]), np.int64([2])).add("Relu")
        .add("ReduceMean", np.int64([2]), keepdims=0).dense(8, 3)
    ),
    "a part of channels and of time": lambda: ended(
        pictures().add("Slice", np.int64([1, 3]), np.int64([3, 1 << 60]), np.int64([1, 2])), 2
    ),
    "old slice of features": lambda: ended(
        pictures(opset=9).add("Slice", starts=[2], ends=[-1], axes=[3])
    ),
    "last frame": lambda: (
        pictures().add("Relu").add("Gather", np.int64(-1), axis=2).add("Flatten")
        .dense(4 * FEATURES, 3)
    ),
    "softmax over channels": lambda: ended(pictures().add("Softmax", axis=1)),
    "logarithm": lambda: ended(pictures()).add("LogSoftmax", axis=1),
    "its own softmax": lambda: ended(pictures()).add("Softmax", axis=1),
}  # fmt: skip
# These do hold one: the order that they ask for is not that of the device.
MOVING = {"mean over channels": 1}


@pytest.mark.parametrize("name", NETS)
def test_an_operation_computes_what_it_did(name, tmp_path):
    net = NETS[name]()
    made = importing.load(net.write(tmp_path / "net.onnx"), WINDOW, inputs=4)
    assert made.agreement.difference <= made.agreement.bound
    model = made.built.model
    assert model.input.shape[1:] == (*WINDOW, 1)
    windows = np.random.default_rng(2).normal(0, 1, (8, *WINDOW)).astype(np.float32)
    scores = np.asarray(model(windows[..., None]))
    assert np.allclose(scores.sum(axis=1), 1, atol=1e-5)
    content = graph.parse(quantize(model, windows))
    assert [op.kind for op in content.ops].count("TRANSPOSE") == MOVING.get(name, 0)


def test_shapes_worked_out_of_constants_are_folded(tmp_path):
    """As older exporters write a flattening: Shape, Gather, Unsqueeze, Concat, Reshape."""
    net = pictures()
    flat = net.last
    net.add("Identity", np.int64([1, 4, FRAMES, FEATURES]), last=False)
    net.add("Gather", np.int64(0), axis=0).add("Unsqueeze", np.int64([0]))
    net.add("Concat", np.int64([-1]), axis=0, name="shape")
    net.last = flat
    net.add("Reshape", "shape").dense(4 * FRAMES * FEATURES, 3)
    made = importing.load(net.write(tmp_path / "net.onnx"), WINDOW, inputs=2)
    assert made.agreement.difference <= made.agreement.bound


def test_frames_come_first_where_both_are_equal(tmp_path):
    net = Net((1, 1, 16, 16)).conv(2, 1, 3, 1).add("Flatten").dense(2 * 14 * 16, 3)
    assert not importing.load(net.write(tmp_path / "net.onnx"), (16, 16)).built.swapped


@pytest.mark.parametrize(
    "net, message",
    [
        (lambda: ended(pictures().add("Elu")), 'Elu "tensor1": cannot be imported; those that can'),
        (lambda: ended(pictures().conv(4, 4, 3, 3, group=2)), "2 groups of 4 channels; 1 group"),
        (
            lambda: ended(pictures().conv(4, 4, 3, 3, group=4, strides=[1, 2])),
            r"a depthwise convolution of strides \[1, 2\]; TensorFlow has none",
        ),
        (lambda: pictures().add("Gather", np.int64([1, 2]), axis=2), "of 2 places; one can be"),
        (
            lambda: pictures().add("Slice", np.int64([5]), np.int64([5]), np.int64([2])),
            "from 5 to 5 of 24: nothing",
        ),
        (lambda: ended(Net().conv(4, 1, 30, 3)), "is larger than the picture"),
        (
            lambda: ended(pictures().add("MaxPool", kernel_shape=[3, 3], pads=[1] * 4, **STEP)),
            "put the pooling after a ReLU",
        ),
        (
            lambda: ended(pictures().add("Clip", np.float32(-1), np.float32(1))),
            "from -1 to 1; only from 0 up",
        ),
        (
            lambda: ended(pictures().add("Add", one_number_each(FRAMES, FEATURES))),
            r"a constant of shape \[1, 1, 24, 16\] for \[1, 4, 24, 16\]",
        ),
        (lambda: pictures().add("Flatten", axis=0), "the batch is flattened too"),
        (lambda: pictures().add("ReduceMean", np.int64([0])), "the batch is one of its axes"),
        (lambda: pictures(), r"output of shape \[1, 4, 24, 16\]; one row of scores"),
        (lambda: ended(pictures().add("Div", np.float32(0))), "the result is not finite"),
        (
            lambda: Net().add("Reshape", np.int64([FRAMES, FEATURES])),
            "the batch of shape .* is merged or moved",
        ),
        (lambda: ended(Net((1, 1, 9, 9)).conv(4, 1, 3, 3)), "the facts give 24 frames of 16"),
    ],
)  # fmt: skip
def test_what_cannot_be_imported_is_named(net, message, tmp_path):
    with pytest.raises(InputError, match=message):
        importing.load(net().write(tmp_path / "net.onnx"), WINDOW)
