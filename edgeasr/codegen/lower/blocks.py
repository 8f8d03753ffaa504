"""SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND: neighbours in space become batches, and back."""

import itertools
import math

import numpy as np

from edgeasr.codegen.call import Alias, Array, KernelCall
from edgeasr.codegen.lower.copying import MOVED, Box, Loop, copied, strides
from edgeasr.codegen.lower.padding import padded, paddings
from edgeasr.codegen.lower.view import MAX_OPTION, OpView, named
from edgeasr.graph import Tensor

_MOST_BLOCKS = 1024


def space_to_batch_nd(view: OpView) -> KernelCall | Alias:
    """SPACE_TO_BATCH_ND. What is padded is 0 bytes, whatever the zero point.

    TFLite-Micro leaves its pad value at what its arena held before, which is 0 in a new one.
    """
    input_, output, block, pads = _tensors(view)
    batch, space, depth = input_.shape[0], input_.shape[1:-1], input_.shape[-1]
    whole = [n + b + a for n, (b, a) in zip(space, pads, strict=True)]
    if any(n % size for n, size in zip(whole, block, strict=True)):
        raise view.fail(f"blocks {list(block)} do not divide {whole}, the padded {named(input_)}")
    parts = [n // size for n, size in zip(whole, block, strict=True)]
    view.shape(output, (batch * math.prod(block), *parts, depth))
    boxes = _boxes(input_.shape, output.shape, block, pads)
    swapped = [
        Box(b.output_start, b.start, tuple(_turned(loop) for loop in b.loops)) for b in boxes
    ]
    zero = Array("value", "uint8_t", np.zeros(1, np.uint8))
    return padded(view, input_, output, swapped, zero)


def batch_to_space_nd(view: OpView) -> KernelCall | Alias:
    """BATCH_TO_SPACE_ND: space is cropped where SPACE_TO_BATCH_ND pads it."""
    input_, output, block, crops = _tensors(view)
    batch, rest = divmod(input_.shape[0], math.prod(block))
    if rest:
        raise view.fail(f"blocks {list(block)} do not divide {input_.shape[0]} batches")
    sizes = [
        n * size - b - a for n, size, (b, a) in zip(input_.shape[1:-1], block, crops, strict=True)
    ]
    view.shape(output, (batch, *sizes, input_.shape[-1]))
    return copied(view, input_, output, _boxes(output.shape, input_.shape, block, crops))


def _tensors(
    view: OpView,
) -> tuple[Tensor, Tensor, tuple[int, ...], list[tuple[int, int]]]:
    """Return input, output, sizes of blocks, and padding or crops of each dimension of space."""
    view.arity(3, 3)
    input_ = view.input(0, *MOVED)
    output = view.output(input_.dtype)
    rank = len(input_.shape)
    if rank not in (3, 4):
        raise view.fail(f"{named(input_)} has {rank} dimensions; supported: 3 and 4")
    sizes = view.input(1, "int32")
    view.shape(sizes, (rank - 2,))
    block = tuple(view.constant(sizes).tolist())
    if any(not 1 <= n <= MAX_OPTION for n in block) or math.prod(block) > _MOST_BLOCKS:
        raise view.fail(
            f"{named(sizes)} holds {list(block)}; at least 1 each, at most {_MOST_BLOCKS} in all"
        )
    return input_, output, block, paddings(view, view.input(2, "int32"), rank - 2)


def _boxes(
    space: tuple[int, ...],
    batches: tuple[int, ...],
    block: tuple[int, ...],
    pads: list[tuple[int, int]],
) -> list[Box]:
    """Return the copies from the tensor of many batches to that of much space, as boxes.

    A batch holds each block-th element of space from one offset on.
    """
    small, large = strides(batches), strides(space)
    count = space[0]
    found = []
    for number, offset in enumerate(itertools.product(*map(range, block))):
        start, end = number * count * small[0], 0
        loops = [Loop(count, small[0], large[0])]
        for axis, (shift, size, (before, _)) in enumerate(zip(offset, block, pads, strict=True), 1):
            first = max(0, -(-(before - shift) // size))
            last = min(batches[axis], -(-(space[axis] + before - shift) // size))
            start += first * small[axis]
            end += (first * size + shift - before) * large[axis]
            loops.append(Loop(last - first, small[axis], size * large[axis]))
        if all(loop.turns > 0 for loop in loops):
            found.append(Box(start, end, (*loops, Loop(space[-1], 1, 1))))
    return found


def _turned(loop: Loop) -> Loop:
    return Loop(loop.turns, loop.output_stride, loop.input_stride)
