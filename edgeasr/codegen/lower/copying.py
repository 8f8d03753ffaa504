"""Copies of elements in nested loops: how lowerings say which, and the kernel call for it."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from edgeasr.codegen.call import Alias, Array, KernelCall, Struct, Value
from edgeasr.codegen.lower.view import OpView, call, named
from edgeasr.graph import DTYPE_BYTES, Tensor

# What kernels that only move elements can move.
MOVED = (
    "int8", "uint8", "bool", "int16", "uint16", "int32", "uint32", "float32", "int64", "uint64",
)  # fmt: skip
_MAX_LOOPS = 8
_MAX_BOXES = 1024
_INT32_MAX = (1 << 31) - 1


@dataclass(frozen=True)
class Loop:
    """One of the nested loops of a copy: its turns, and its strides in elements."""

    turns: int
    input_stride: int
    output_stride: int


@dataclass(frozen=True)
class Box:
    """A part of a copy: where it begins in input and output, in elements, and its loops."""

    start: int
    output_start: int
    loops: tuple[Loop, ...]


def strides(shape: Sequence[int]) -> tuple[int, ...]:
    """Return the stride of each dimension of a dense tensor, in elements."""
    inner = itertools.accumulate(reversed(shape[1:]), lambda a, b: a * b, initial=1)
    return tuple(reversed(list(inner))) if shape else ()


def gather(
    view: OpView,
    input_: Tensor,
    output: Tensor,
    shape: Sequence[int],
    input_strides: Sequence[int],
    start: int = 0,
) -> KernelCall | Alias:
    """Return a copy that fills the output in its order from places in the input.

    shape: of the output, in whatever dimensions tell it best. input_strides: elements in the
    input from one to the next along each of them, from element `start` on.
    """
    loops = tuple(map(Loop, shape, input_strides, strides(shape)))
    return copied(view, input_, output, [Box(start, 0, loops)])


def copied(
    view: OpView, input_: Tensor, output: Tensor, boxes: Sequence[Box]
) -> KernelCall | Alias:
    """Return the cheapest form of a copy that writes each element of the output once."""
    if len(boxes) == 1 and merge(boxes)[0].loops in ((), (Loop(output.elements, 1, 1),)):
        return block(view, input_, output, boxes[0].start)
    params = copy_params(view, output, boxes)
    return call("ear_copy", params, view.read(input_), view.write(output, as_type="void"))


def block(view: OpView, input_: Tensor, output: Tensor, start: int = 0) -> KernelCall | Alias:
    """Return what fills the output with the input's elements from `start` on, in their order."""
    if start == 0 and input_.elements == output.elements and input_.data is None:
        return Alias(input_.index, output.index)
    return call(
        "ear_copy_block",
        Value(start * DTYPE_BYTES[output.dtype]),
        Value(output.bytes),
        view.read(input_),
        view.write(output, as_type="void"),
    )


def copy_params(view: OpView, output: Tensor, boxes: Sequence[Box]) -> Struct:
    """Return the ear_copy_t of boxes that all have the same number of loops."""
    if len(boxes) > _MAX_BOXES:
        raise view.fail(f"moves {len(boxes):,} blocks of elements; at most {_MAX_BOXES:,}")
    size = DTYPE_BYTES[output.dtype]
    boxes = merge(boxes)
    run = _run(boxes)
    loops = len(boxes[0].loops) - (run > 1)
    table: list[int] = []
    for box in boxes:
        table += [box.start * size, box.output_start * size]
        for loop in box.loops[:loops]:
            table += [loop.turns, loop.input_stride * size, loop.output_stride * size]
        table += [] if loops else [1, 0, 0]
    if loops > _MAX_LOOPS or max(map(abs, table)) > _INT32_MAX:
        raise view.fail(
            f"{named(output)} takes {loops} nested loops over up to {max(map(abs, table)):,} bytes;"
            f" at most {_MAX_LOOPS} over {_INT32_MAX:,}"
        )
    fields = {
        "run_bytes": run * size,
        "loops": max(loops, 1),
        "boxes": len(boxes),
        "box": Array("box", "int32_t", np.array(table, np.int32)),
    }
    return Struct("params", "ear_copy_t", fields)


def merge(boxes: Sequence[Box]) -> list[Box]:
    """Return boxes of the fewest loops that walk the same elements in the same order."""
    levels: list[tuple[Loop, ...]] = []  # one loop of each box
    for level in zip(*(box.loops for box in boxes), strict=True):
        if all(loop.turns == 1 for loop in level):
            continue
        if levels and all(itertools.starmap(_continues, zip(levels[-1], level, strict=True))):
            levels[-1] = tuple(itertools.starmap(_joined, zip(levels[-1], level, strict=True)))
        else:
            levels.append(level)
    loops = zip(*levels, strict=True) if levels else [()] * len(boxes)
    return [Box(b.start, b.output_start, tuple(ls)) for b, ls in zip(boxes, loops, strict=True)]


def _continues(outer: Loop, inner: Loop) -> bool:
    """True when a turn of `outer` begins where the last turn of `inner` ended."""
    return (
        outer.input_stride == inner.turns * inner.input_stride
        and outer.output_stride == inner.turns * inner.output_stride
    )


def _joined(outer: Loop, inner: Loop) -> Loop:
    return Loop(outer.turns * inner.turns, inner.input_stride, inner.output_stride)


def _run(boxes: Iterable[Box]) -> int:
    """Return how many elements lie behind each other in input and output, in all boxes alike."""
    inner = {box.loops[-1] if box.loops else None for box in boxes}
    loop = inner.pop()
    if inner or loop is None or (loop.input_stride, loop.output_stride) != (1, 1):
        return 1
    return loop.turns
