"""Where the axes of an ONNX tensor lie in the Keras tensor that holds it.

ONNX has channels before space, Keras and the device after it. So an axis is not a place: each axis
of the ONNX tensor names the Keras dimensions that hold it, in row-major order, none when its size
is 1. Transposing, flattening and squeezing then move nothing; only an operation that needs its
input in a certain order moves data, and only when it lies in another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from edgeasr.backend import load_keras
from edgeasr.errors import InputError


@dataclass(frozen=True)
class Value:
    """tensor: of Keras, its dimension 0 the batch. axes: for each ONNX axis, the dimensions of
    `tensor` that hold it; a dimension that no axis names has size 1."""

    tensor: object
    axes: tuple[tuple[int, ...], ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """The ONNX shape, with the batch as 1."""
        return tuple(self.size(axis) for axis in range(len(self.axes)))

    def size(self, axis: int) -> int:
        return math.prod(self.sizes[dim] for dim in self.axes[axis])

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes of the Keras tensor, with the batch as 1."""
        return (1, *self.tensor.shape[1:])

    def with_tensor(self, tensor: object) -> Value:
        """Return what an operation made that keeps shape and order."""
        return replace(self, tensor=tensor)

    def dims(self, axis: int) -> tuple[int, ...]:
        """Return the dimensions of an axis that are larger than 1."""
        return tuple(dim for dim in self.axes[axis] if self.sizes[dim] > 1)


def reshape(tensor, sizes: Sequence[int]):
    """Return a Keras tensor of other sizes, the batch left out; itself where nothing changes."""
    if tuple(tensor.shape[1:]) == tuple(sizes):
        return tensor
    return load_keras().layers.Reshape(tuple(sizes))(tensor)


def arrange(value: Value, wanted: Sequence[int | None]):
    """Return a Keras tensor with one dimension for each axis of `wanted`, in that order.

    None stands for a dimension of 1. The batch's axis must come first, and every axis larger than 1
    be there. Data are moved only where their order differs.
    """
    if value.axes[wanted[0]] != (0,):
        raise InputError("the batch is not the first axis any more; keep it there")
    order = [dim for axis in wanted[1:] if axis is not None for dim in value.dims(axis)]
    tensor = _permuted(value, order)
    return reshape(tensor, [1 if axis is None else value.size(axis) for axis in wanted[1:]])


def arranged(value: Value, wanted: Sequence[int | None]) -> Value:
    """Return the same as a Value."""
    axes = [(wanted.index(axis),) if axis in wanted else () for axis in range(len(value.axes))]
    return Value(arrange(value, wanted), tuple(axes))


def _permuted(value: Value, order: Sequence[int]):
    """Return the tensor with its dimensions larger than 1 in the given order."""
    if list(order) == sorted(order):
        return value.tensor
    small = [dim for dim in range(1, len(value.sizes)) if dim not in order]
    return load_keras().layers.Permute((*order, *small))(value.tensor)


def plain(value: Value) -> Value:
    """Return the value with a dimension for each axis, in the order of ONNX."""
    return arranged(value, range(len(value.axes)))


def transpose(value: Value, order: Sequence[int]) -> Value:
    """ONNX Transpose: axis i of the result is axis order[i]. Moves nothing."""
    return replace(value, axes=tuple(value.axes[axis] for axis in order))


def regroup(value: Value, shape: Sequence[int]) -> Value:
    """ONNX Reshape to `shape`, of as many elements.

    Moves nothing where each axis of the result is whole dimensions, or parts of one.
    """
    if math.prod(shape) != math.prod(value.shape):
        raise InputError(f"shape {list(value.shape)} cannot become {list(shape)}")
    if value.axes[0] != (0,) or not shape or shape[0] != 1:
        raise InputError(
            f"the batch of shape {list(value.shape)} is merged or moved; keep it first"
        )
    parts = _parts(value, shape)
    if parts is None:
        tensor = reshape(plain(value).tensor, shape[1:])
        return Value(tensor, tuple((axis,) for axis in range(len(shape))))
    tensor, axes = value.tensor, [(0,)]
    sizes, place = [], {}
    for dim in range(1, len(value.sizes)):
        place[dim] = len(sizes) + 1
        sizes += parts.get(dim, [value.sizes[dim]])
    tensor = reshape(tensor, sizes)
    waiting = [
        place[dim] + n
        for axis in range(1, len(value.axes))
        for dim in value.dims(axis)
        for n in range(len(parts.get(dim, [1])))
    ]
    for size in shape[1:]:
        held = []
        while math.prod(sizes[dim - 1] for dim in held) < size:
            held.append(waiting.pop(0))
        axes.append(tuple(held))
    return Value(tensor, tuple(axes))


def _parts(value: Value, shape: Sequence[int]) -> dict[int, list[int]] | None:
    """Return the sizes that dimensions must be split into for `shape`; None where no split does."""
    wanted = [size for size in shape[1:] if size > 1]
    parts: dict[int, list[int]] = {}
    left = 1
    for axis in range(1, len(value.axes)):
        for dim in value.dims(axis):
            rest = value.sizes[dim]
            while rest > 1:
                left = wanted.pop(0) if left == 1 else left
                part = math.gcd(rest, left)
                if part not in (rest, left):
                    return None
                parts.setdefault(dim, []).append(part)
                rest, left = rest // part, left // part
    return parts


def flat_order(value: Value) -> tuple[object, np.ndarray]:
    """Return all but the batch as one Keras dimension, and the ONNX index of each of its elements.

    So a dense layer after a flattened picture permutes its weights, not the picture.
    """
    order = [dim for axis in range(1, len(value.axes)) for dim in value.dims(axis)]
    count = math.prod(value.sizes)
    indices = np.arange(count).reshape([value.sizes[dim] for dim in order])
    indices = indices.transpose(np.argsort(order)) if order else indices
    return reshape(value.tensor, [count]), indices.ravel()


def spatial(value: Value) -> tuple[int | None, ...]:
    """Return the order of axes (batch, height, width, channels) that moves the least data.

    value: [n, channels, length] or [n, channels, height, width]. Height and width may be swapped:
    then the kernel is to be transposed. A length is a height, of width 1.
    """
    if len(value.axes) == 3:
        return (0, 2, None, 1)
    if len(value.axes) != 4:
        raise InputError(f"shape {list(value.shape)}; [n, channels, height, width] is needed")
    swapped = value.dims(2) and value.dims(3) and value.dims(3)[0] < value.dims(2)[0]
    return (0, 3, 2, 1) if swapped else (0, 2, 3, 1)
