"""ONNX operations with weights become Keras layers: convolution, dense layer, normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgeasr.backend import load_keras
from edgeasr.importing.call import Call
from edgeasr.importing.layout import Value, arrange, arranged, flat_order, plain, reshape, spatial


@dataclass(frozen=True)
class Window:
    """What slides over height and width, in the order of the Keras tensor: (height, width) each."""

    size: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    made: tuple[int, ...]

    @property
    def pads(self) -> bool:
        return any((*self.before, *self.after))


def window(call: Call, order: Sequence[int | None], sizes: Sequence[int], kernel: Sequence[int]):
    """Return the Window of a convolution or pooling.

    order: of axes, as layout.spatial gives it. sizes: of height and width, in that order. kernel:
    of each spatial axis of ONNX. Padding after the end that no window reaches is left out.
    """
    count = len(kernel)

    def of(values: Sequence[int], missing: int) -> tuple[int, ...]:
        if len(values) != count or any(v < 0 for v in values):
            raise call.fail(f"{list(values)} for {count} axes")
        return tuple(missing if axis is None else int(values[axis - 2]) for axis in order[1:3])

    size = of(kernel, 1)
    strides = of(call.attribute("strides", [1] * count), 1)
    dilations = of(call.attribute("dilations", [1] * count), 1)
    pads = call.attribute("pads", [0] * (2 * count))
    before, after = of(pads[:count], 0), of(pads[count:], 0)
    if min(*size, *strides, *dilations) < 1:
        raise call.fail("kernel, strides and dilations of 1 or more are needed")
    reach = [(k - 1) * d + 1 for k, d in zip(size, dilations, strict=True)]
    automatic = call.attribute("auto_pad", "NOTSET")
    if automatic in ("SAME_UPPER", "SAME_LOWER"):
        made = tuple(-(-has // step) for has, step in zip(sizes, strides, strict=True))
        total = _total(made, sizes, strides, reach)
        before = tuple((t + (automatic == "SAME_LOWER")) // 2 for t in total)
    else:
        made = _places(call, sizes, strides, reach, before, after)
        total = _total(made, sizes, strides, reach)
    after = tuple(max(t - b, 0) for t, b in zip(total, before, strict=True))
    return Window(size, strides, dilations, before, after, made)


def _places(call: Call, sizes, strides, reach, before, after) -> tuple[int, ...]:
    """Return how many places a window takes on each axis, padded as stated. With ceil_mode it may
    reach beyond the padding, but not begin there."""
    rest = [h + b + a - r for h, b, a, r in zip(sizes, before, after, reach, strict=True)]
    if min(rest) < 0:
        raise call.fail(f"its window of {reach} is larger than the picture of {list(sizes)}")
    if not call.attribute("ceil_mode", 0):
        return tuple(left // step + 1 for left, step in zip(rest, strides, strict=True))
    return tuple(
        min(-(-left // step), (has + b - 1) // step) + 1
        for left, step, has, b in zip(rest, strides, sizes, before, strict=True)
    )


def _total(made, sizes, strides, reach) -> list[int]:
    """Return the padding that the places of a window need on each axis, both ends together."""
    return [
        max((m - 1) * step + r - has, 0)
        for m, has, step, r in zip(made, sizes, strides, reach, strict=True)
    ]


def same(over: Window, sizes: Sequence[int]) -> bool:
    """Whether the padding is that of TensorFlow's SAME: half of it before, rounded down."""
    reach = [(k - 1) * d + 1 for k, d in zip(over.size, over.dilations, strict=True)]
    wanted = tuple(-(-has // step) for has, step in zip(sizes, over.strides, strict=True))
    total = _total(wanted, sizes, over.strides, reach)
    return over.made == wanted and all(
        (b, a) == (t // 2, t - t // 2)
        for b, a, t in zip(over.before, over.after, total, strict=True)
    )


def padded(tensor, over: Window, sizes: Sequence[int]) -> tuple[object, str]:
    """Return the tensor and the padding that Keras is told, zeros added where it has no word."""
    if not over.pads:
        return tensor, "valid"
    if same(over, sizes):
        return tensor, "same"
    ends = tuple(zip(over.before, over.after, strict=True))
    return load_keras().layers.ZeroPadding2D(ends)(tensor), "valid"


def conv(call: Call) -> Value:
    """ONNX Conv over one or two axes, of all channels or of each channel alone."""
    value, kernel = call.value(), call.constant(1).astype(np.float32)
    if kernel.ndim != len(value.axes):
        raise call.fail(f"weights of shape {list(kernel.shape)} for {list(value.shape)}")
    order = spatial(value)
    value = arranged(value, order)
    channels, groups = value.size(1), int(call.attribute("group", 1))
    filters = kernel.shape[0]
    if groups not in (1, channels) or kernel.shape[1] * groups != channels or filters % groups:
        raise call.fail(
            f"{groups} groups of {channels} channels; 1 group, or one for each channel, can be "
            "imported"
        )
    sizes = value.sizes[1:3]
    over = window(call, order, sizes, kernel.shape[2:])
    if groups > 1 and over.strides[0] != over.strides[1]:
        raise call.fail(
            f"a depthwise convolution of strides {list(over.strides)}; TensorFlow has none but "
            "with equal strides"
        )
    tensor, padding = padded(value.tensor, over, sizes)
    layers = load_keras().layers
    options = {
        "strides": over.strides, "dilation_rate": over.dilations, "padding": padding,
        "use_bias": len(call.node.inputs) > 2 and bool(call.node.inputs[2]),
    }  # fmt: skip
    # [out, in, axes] to [height, width, in, out], or [height, width, in, multiplier].
    stored = kernel[..., None] if kernel.ndim == 3 else kernel
    stored = stored.transpose((*_kernel_axes(order), 1, 0))
    if groups > 1:
        multiplier = filters // groups
        layer = layers.DepthwiseConv2D(over.size, depth_multiplier=multiplier, **options)
        stored = stored[:, :, 0].reshape(*over.size, channels, multiplier)
    else:
        layer = layers.Conv2D(filters, over.size, **options)
    made = layer(tensor)
    layer.set_weights([stored, *([call.floats(2, (filters,))] if options["use_bias"] else [])])
    return value.with_tensor(made)


def _kernel_axes(order: Sequence[int | None]) -> tuple[int, int]:
    """Return the axes of [out, in, a, b] that are height and width."""
    return (2, 3) if order[2] is None else (order[1], order[2])


def dense(call: Call, weights: np.ndarray, bias: np.ndarray | None) -> Value:
    """A dense layer on the last axis. weights: [in, out]; bias: [out]."""
    value = call.value()
    last = len(value.axes) - 1
    if value.size(last) != weights.shape[0]:
        raise call.fail(f"weights of {list(weights.shape)} for {list(value.shape)}")
    others = [axis for axis in range(1, last) if value.size(axis) > 1]
    layers, units = load_keras().layers, weights.shape[1]
    biases = [] if bias is None else [bias.astype(np.float32)]
    if not others:
        tensor, order = flat_order(value)
        layer = layers.Dense(units, use_bias=bool(biases))
        made = layer(tensor)
        layer.set_weights([weights[order].astype(np.float32), *biases])
        return Value(made, ((0,), *(() for _ in range(1, last)), (1,)))
    held = value.dims(last)
    if len(others) == 1 and len(held) == 2 and value.dims(others[0]) < (min(held),):
        return _over_pictures(value, weights, biases, others[0])
    if len(others) > 2:
        raise call.fail(f"a dense layer on shape {list(value.shape)}; at most 4 axes are allowed")
    # A dense layer at each place is a convolution of 1 x 1.
    order = (0, others[0], others[1] if len(others) > 1 else None, last)
    layer = layers.Conv2D(units, 1, use_bias=bool(biases))
    value = arranged(value, order)
    made = layer(value.tensor)
    layer.set_weights([weights[None, None].astype(np.float32), *biases])
    return value.with_tensor(made)


def _over_pictures(value: Value, weights: np.ndarray, biases: list, axis: int) -> Value:
    """A dense layer on the last axis at each place of another, where two dimensions hold the last:
    a convolution over all of these two, which leaves them where they are."""
    last = len(value.axes) - 1
    first, second = sorted(value.dims(last))
    sizes = [value.sizes[dim] for dim in value.dims(last)]
    units = weights.shape[1]
    kernel = weights.reshape(*sizes, units)
    if value.dims(last) != (first, second):
        kernel = kernel.transpose(1, 0, 2)
    rows, columns = value.sizes[first], value.sizes[second]
    tensor = reshape(value.tensor, [value.size(axis), rows, columns])
    layer = load_keras().layers.Conv2D(units, (1, rows), use_bias=bool(biases))
    made = layer(tensor)
    layer.set_weights([kernel[None].astype(np.float32), *biases])
    axes = [(0,), *(() for _ in range(1, last)), (3,)]
    axes[axis] = (1,)
    return Value(made, tuple(axes))


def gemm(call: Call) -> Value:
    """ONNX Gemm: y = alpha * x w + beta * c, the weights and c constants."""
    if call.attribute("transA", 0):
        raise call.fail("its first input transposed cannot be imported")
    weights = call.floats(1, (-1, -1)) * np.float32(call.attribute("alpha", 1.0))
    weights = weights.T if call.attribute("transB", 0) else weights
    if len(call.value().axes) != 2:
        raise call.fail(f"shape {list(call.value().shape)}; [n, values] is needed")
    bias = None
    if len(call.node.inputs) > 2:
        found = call.constant(2).astype(np.float32) * np.float32(call.attribute("beta", 1.0))
        bias = _row(call, found, weights.shape[1])
    return dense(call, weights, bias)


def matmul(call: Call) -> Value:
    """ONNX MatMul with constant weights; a third input is a bias that was added after it."""
    bias = None
    weights = call.floats(1, (-1, -1))
    if len(call.node.inputs) > 2:
        bias = _row(call, call.constant(2).astype(np.float32), weights.shape[1])
    return dense(call, weights, bias)


def _row(call: Call, found: np.ndarray, count: int) -> np.ndarray:
    try:
        return np.broadcast_to(found.reshape(-1), (count,))
    except ValueError:
        raise call.fail(f"a bias of shape {list(found.shape)} for {count} outputs") from None


def batch_normalization(call: Call) -> Value:
    """ONNX BatchNormalization, as it is after training."""
    if call.attribute("training_mode", 0):
        raise call.fail("is in training mode; export the model after model.eval()")
    value = call.value()
    if len(value.axes) < 2:
        raise call.fail(f"shape {list(value.shape)}; [n, channels, ...] is needed")
    channels = value.size(1)
    gamma, beta, mean, variance = (call.floats(place, (channels,)) for place in range(1, 5))
    if variance.min() < 0:
        raise call.fail("a variance is below 0")
    epsilon = float(call.attribute("epsilon", 1e-5))
    return normalized(value, 1, [gamma, beta, mean, variance], epsilon)


def normalized(value: Value, axis: int, weights: Sequence[np.ndarray], epsilon: float) -> Value:
    """Return a value with each place of an axis scaled and moved.

    weights: gamma, beta, mean, variance, each [places]; of an axis of size 1, for all alike.
    """
    if len(value.dims(axis)) > 1:
        value = plain(value)
    dim = value.dims(axis)[0] if value.dims(axis) else len(value.sizes) - 1
    layer = load_keras().layers.BatchNormalization(axis=dim, epsilon=epsilon)
    made = layer(value.tensor)
    layer.set_weights([np.broadcast_to(np.float32(w), (value.sizes[dim],)) for w in weights])
    return value.with_tensor(made)


def softmax(call: Call) -> Value:
    """ONNX Softmax over the one axis that is larger than 1, or over the last."""
    value = call.value()
    rank = len(value.axes)
    axis = call.axis(int(call.attribute("axis", -1 if call.network.opset >= 13 else 1)), rank)
    larger = [a for a in range(1, rank) if value.size(a) > 1]
    if call.network.opset < 13 and len([a for a in larger if a >= axis]) > 1:
        raise call.fail("over more than one axis; export with opset 13 or later")
    wanted = (0, *(a for a in larger if a != axis), axis)
    made = load_keras().layers.Softmax()(arrange(value, wanted))
    axes = tuple((wanted.index(a),) if a in wanted else () for a in range(rank))
    return Value(made, axes)
