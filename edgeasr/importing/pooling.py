"""ONNX pooling and means become Keras layers."""

from __future__ import annotations

from collections.abc import Sequence

from edgeasr.backend import load_keras
from edgeasr.importing.call import Call
from edgeasr.importing.layout import Value, arranged, spatial
from edgeasr.importing.weights import same, window
from edgeasr.quantize.folding import producer


def pool(call: Call) -> Value:
    """ONNX MaxPool and AveragePool over one or two axes."""
    maximum = call.node.kind == "MaxPool"
    order = spatial(call.value())
    value = arranged(call.value(), order)
    sizes = value.sizes[1:3]
    kernel = call.attribute("kernel_shape", ())
    if len(kernel) != len(value.axes) - 2 or len(call.node.outputs) > 1:
        raise call.fail(f"kernel {list(kernel)} for {list(value.shape)}, or places wanted too")
    over = window(call, order, sizes, kernel)
    if over.dilations != (1, 1):
        raise call.fail(f"dilations {list(over.dilations)}; 1 is needed")
    # What a window reaches beyond the padding is never counted.
    counted = bool(call.attribute("count_include_pad", 0)) and any(call.attribute("pads", ()))
    layers = load_keras().layers
    tensor = value.tensor
    if not over.pads:
        padding = "valid"
    elif same(over, sizes) and (maximum or not counted):
        padding = "same"
    else:
        _check_zeros(call, tensor, maximum, counted)
        ends = tuple(zip(over.before, over.after, strict=True))
        tensor, padding = layers.ZeroPadding2D(ends)(tensor), "valid"
    kind = layers.MaxPooling2D if maximum else layers.AveragePooling2D
    return value.with_tensor(kind(over.size, over.strides, padding)(tensor))


def _check_zeros(call: Call, tensor, maximum: bool, counted: bool) -> None:
    """Raise InputError where zeros around the picture would not be what ONNX pads with."""
    if maximum and not isinstance(producer(tensor), load_keras().layers.ReLU):
        raise call.fail(
            "padding of values that may be below 0; put the pooling after a ReLU, or pad so that "
            "the output has ceil(input / stride) places"
        )
    if not maximum and (not counted or call.attribute("ceil_mode", 0)):
        raise call.fail("padding that is not counted is only imported where it is TensorFlow's")


def pool_all(call: Call) -> Value:
    """ONNX GlobalAveragePool and GlobalMaxPool."""
    rank = len(call.value().axes)
    if rank not in (3, 4):
        raise call.fail(f"shape {list(call.value().shape)}; 3 or 4 axes are needed")
    maximum = call.node.kind == "GlobalMaxPool"
    return reduced(call, tuple(range(2, rank)), keep=True, maximum=maximum)


def reduce(call: Call) -> Value:
    """ONNX ReduceMean and ReduceMax over axes other than the batch."""
    value = call.value()
    rank = len(value.axes)
    axes = call.axes(1)
    if axes is None and call.attribute("noop_with_empty_axes", 0):
        return value
    axes = tuple(range(rank)) if axes is None else tuple(call.axis(a, rank) for a in axes)
    if 0 in axes:
        raise call.fail("the batch is one of its axes; keep the batch")
    maximum = call.node.kind == "ReduceMax"
    return reduced(call, axes, bool(call.attribute("keepdims", 1)), maximum)


def reduced(call: Call, axes: Sequence[int], keep: bool, maximum: bool) -> Value:
    """Return the mean, or the greatest value, over axes."""
    value = call.value()
    rank = len(value.axes)
    over = [axis for axis in axes if value.size(axis) > 1]
    others = [axis for axis in range(1, rank) if value.size(axis) > 1 and axis not in over]
    if len(over) == 1 and len(others) == 2:
        return _along(value, over[0], others, axes if not keep else (), maximum)
    if len(over) > 2 or len(others) > 1:
        raise call.fail(
            f"over axes {list(axes)} of {list(value.shape)}; over one axis, or over two "
            "with one that remains, can be imported"
        )
    # The axes in the order in which they lie: nothing is moved then.
    over.sort(key=lambda axis: value.dims(axis))
    order = (0, *over, *([None] * (2 - len(over))), others[0] if others else None)
    laid = arranged(value, order)
    layers = load_keras().layers
    if maximum:
        size = laid.sizes[1:3]
        made = layers.Reshape((laid.sizes[3],))(layers.MaxPooling2D(size)(laid.tensor))
    else:
        made = layers.GlobalAveragePooling2D()(laid.tensor)
    held = [(0,), *((1,) if axis in others else () for axis in range(1, rank))]
    kept = held if keep else [held[axis] for axis in range(rank) if axis not in axes]
    return Value(made, tuple(kept))


def _along(
    value: Value, axis: int, others: Sequence[int], dropped: Sequence[int], maximum: bool
) -> Value:
    """Return the mean, or the greatest value, along one axis of a picture: one long pooling.

    dropped: axes that the result has no more.
    """
    first, last = sorted(others, key=lambda other: value.dims(other))
    before = value.dims(axis) < value.dims(first)
    order = (0, axis, first, last) if before else (0, first, axis, last)
    laid = arranged(value, order)
    layers = load_keras().layers
    kind = layers.MaxPooling2D if maximum else layers.AveragePooling2D
    size = value.size(axis)
    made = kind((size, 1) if before else (1, size))(laid.tensor)
    kept = [a for a in range(len(value.axes)) if a not in dropped]
    return Value(made, tuple(() if a == axis else laid.axes[a] for a in kept))
