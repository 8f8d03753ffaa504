"""ONNX operations that change shape or order: most move nothing, see layout."""

from __future__ import annotations

import math

import numpy as np

from edgeasr.backend import load_keras
from edgeasr.errors import InputError
from edgeasr.importing import layout
from edgeasr.importing.call import Call
from edgeasr.importing.layout import Value, arranged, plain, regroup, spatial, transpose


def same(call: Call) -> Value:
    """Identity, and Dropout once training is over."""
    return call.value()


def flatten(call: Call) -> Value:
    value = call.value()
    if call.axis(int(call.attribute("axis", 1)), len(value.axes) + 1) != 1:
        raise call.fail("the batch is flattened too; flatten from axis 1")
    return _regrouped(call, value, (1, math.prod(value.shape)))


def reshape(call: Call) -> Value:
    value = call.value()
    asked = [int(size) for size in np.ravel(call.constant(1))]
    if call.attribute("allowzero", 0) and 0 in asked:
        raise call.fail("a size of 0")
    if len(asked) > 8 or any(s < -1 or (s == 0 and n >= len(value.axes)) for n, s in
                             enumerate(asked)):  # fmt: skip
        raise call.fail(f"shape {asked[:10]}")
    sizes = [value.size(place) if size == 0 else size for place, size in enumerate(asked)]
    if sizes.count(-1) > 1:
        raise call.fail(f"shape {asked}, with more than one -1")
    if -1 in sizes:
        known = -math.prod(sizes)
        if math.prod(value.shape) % known:
            raise call.fail(f"shape {list(value.shape)} cannot become {asked}")
        sizes[sizes.index(-1)] = math.prod(value.shape) // known
    return _regrouped(call, value, sizes)


def _regrouped(call: Call, value: Value, sizes) -> Value:
    try:
        return regroup(value, sizes)
    except InputError as error:
        raise call.fail(str(error)) from None


def squeeze(call: Call) -> Value:
    value = call.value()
    rank = len(value.axes)
    axes = call.axes(1)
    axes = [a for a in range(1, rank) if value.size(a) == 1] if axes is None else axes
    axes = {call.axis(axis, rank) for axis in axes}
    if any(value.axes[a] == (0,) or value.size(a) > 1 for a in axes):
        raise call.fail(f"axes {sorted(axes)} of {list(value.shape)}, or the batch; keep the batch")
    return Value(value.tensor, tuple(value.axes[a] for a in range(rank) if a not in axes))


def unsqueeze(call: Call) -> Value:
    value, found = call.value(), call.axes(1) or ()
    rank = len(value.axes) + len(found)
    axes = {call.axis(axis, rank) for axis in found}
    if len(axes) != len(found) or rank > 8:
        raise call.fail(f"axes {list(found)}")
    held = iter(value.axes)
    return Value(value.tensor, tuple(() if a in axes else next(held) for a in range(rank)))


def transposed(call: Call) -> Value:
    value = call.value()
    order = call.attribute("perm", list(range(len(value.axes)))[::-1])
    if sorted(order) != list(range(len(value.axes))):
        raise call.fail(f"order {list(order)[:10]} of {len(value.axes)} axes")
    return transpose(value, order)


def concat(call: Call) -> Value:
    """ONNX Concat of tensors along an axis other than the batch."""
    values = [call.value(place) for place in range(len(call.node.inputs))]
    first = values[0]
    rank = len(first.axes)
    axis = call.axis(int(call.attribute("axis", 0)), rank)
    if first.axes[axis] == (0,) or len({len(value.axes) for value in values}) > 1:
        raise call.fail("along the batch, or of tensors of unlike axes")
    if any(len(first.axes[a]) != 1 for a in range(rank)):
        first = plain(first)
    order = [first.axes.index((dim,)) if (dim,) in first.axes else None
             for dim in range(len(first.sizes))]  # fmt: skip
    laid = [first, *(arranged(value, order) for value in values[1:])]
    layer = load_keras().layers.Concatenate(axis=order.index(axis))
    return first.with_tensor(layer([value.tensor for value in laid]))


def pad(call: Call) -> Value:
    """ONNX Pad with zeros around the picture."""
    value = call.value()
    pads = call.attribute("pads")
    pads = [int(p) for p in np.ravel(call.constant(1) if pads is None else pads)]
    fill = call.attribute("value", None)
    fill = np.ravel(call.constant(2, 0.0))[0] if fill is None else fill
    rank = len(value.axes)
    if call.attribute("mode", "constant") != "constant" or fill != 0 or len(pads) != 2 * rank:
        raise call.fail("only zeros around all axes can be imported")
    ends = [(pads[axis], pads[axis + rank]) for axis in range(rank)]
    if any(ends[0]) or any(ends[1]) or min(pads) < 0 or rank not in (3, 4) or max(pads) > 1024:
        raise call.fail(f"pads {pads} of {list(value.shape)}; height and width alone can be padded")
    order = spatial(value)
    value = arranged(value, order)
    around = tuple((0, 0) if axis is None else ends[axis] for axis in order[1:3])
    return value.with_tensor(load_keras().layers.ZeroPadding2D(around)(value.tensor))


def gather(call: Call) -> Value:
    """ONNX Gather of one place along an axis, which is gone then: x[:, -1]."""
    value, places = call.value(), call.constant(1)
    axis = call.axis(int(call.attribute("axis", 0)), len(value.axes))
    if places.size != 1 or places.ndim > 1:
        raise call.fail(f"of {places.size} places; one can be imported")
    size = value.size(axis)
    place = int(places.ravel()[0])
    if not -size <= place < size:
        raise call.fail(f"place {place} of {size}")
    cut = _cropped(call, value, axis, place % size, place % size + 1)
    if places.ndim:
        return cut
    return Value(cut.tensor, tuple(dims for a, dims in enumerate(cut.axes) if a != axis))


def slice_(call: Call) -> Value:
    """ONNX Slice of whole stretches, each place of them."""
    value = call.value()
    rank = len(value.axes)
    starts, ends = call.attribute("starts"), call.attribute("ends")
    starts = np.ravel(call.constant(1) if starts is None else starts)
    ends = np.ravel(call.constant(2) if ends is None else ends)
    axes = call.axes(3)
    axes = range(len(starts)) if axes is None else [call.axis(axis, rank) for axis in axes]
    steps = np.ravel(call.constant(4, 1))
    if len(starts) != len(ends) or len(starts) != len(axes) or (steps != 1).any():
        raise call.fail(f"steps {steps[:4].tolist()}; 1 can be imported")
    for axis, start, end in zip(axes, starts, ends, strict=True):
        first, last, _ = slice(int(start), int(end)).indices(value.size(axis))
        if first >= last:
            raise call.fail(f"from {int(start)} to {int(end)} of {value.size(axis)}: nothing")
        value = _cropped(call, value, axis, first, last)
    return value


def split(call: Call) -> list[Value]:
    """ONNX Split into parts of given sizes, or of equal ones."""
    value = call.value()
    axis = call.axis(int(call.attribute("axis", 0)), len(value.axes))
    count, size = len(call.node.outputs), value.size(axis)
    sizes = call.attribute("split")
    sizes = call.constant(1, None) if sizes is None else sizes
    each = -(-size // count)
    ends = np.cumsum(np.ravel(sizes)) if sizes is not None else each * np.arange(1, count + 1)
    ends = [min(int(end), size) for end in ends]
    parts = list(zip([0, *ends[:-1]], ends, strict=True))
    if len(ends) != count or ends[-1] != size or any(start >= end for start, end in parts):
        raise call.fail(f"{size} places into {count} parts that end at {ends[:8]}")
    return [_cropped(call, value, axis, *part) for part in parts]


def _cropped(call: Call, value: Value, axis: int, first: int, last: int) -> Value:
    """Return the places from first up to last along an axis."""
    size = value.size(axis)
    if (first, last) == (0, size):
        return value
    if value.axes[0] != (0,):
        raise call.fail("the batch is not the first axis any more; keep it there")
    if len(value.dims(axis)) > 1:
        value = plain(value)
    (dim,) = value.dims(axis)
    sizes = list(value.sizes)
    tensor = layout.reshape(
        value.tensor, [math.prod(sizes[:dim]), size, math.prod(sizes[dim + 1 :])]
    )
    tensor = load_keras().layers.Cropping2D(((0, 0), (first, size - last)))(tensor)
    sizes[dim] = last - first
    return value.with_tensor(layout.reshape(tensor, sizes[1:]))
