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


@dataclass(frozen=True)
class Loop:
    """One of the nested loops of a copy: its turns, and its strides in elements."""

    turns: int
    input_stride: int
    output_stride: int


def strides(shape: Sequence[int]) -> tuple[int, ...]:
    """Return the stride of each dimension of a dense tensor, in elements."""
    inner = itertools.accumulate(reversed(shape[1:]), lambda a, b: a * b, initial=1)
    return tuple(reversed(list(inner)))[-len(shape) :] if shape else ()


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
    loops = map(Loop, shape, input_strides, strides(shape))
    return copied(view, input_, output, loops, start)


def copied(
    view: OpView,
    input_: Tensor,
    output: Tensor,
    loops: Iterable[Loop],
    start: int = 0,
) -> KernelCall | Alias:
    """Return the cheapest form of a copy that writes each element of the output once."""
    merged = merge(loops)
    size = DTYPE_BYTES[output.dtype]
    if merged in ([], [Loop(output.elements, 1, 1)]):
        if start == 0 and input_.elements == output.elements and input_.data is None:
            return Alias(input_.index, output.index)
        return call(
            "ear_copy_block",
            Value(start * size),
            Value(output.bytes),
            view.read(input_),
            view.write(output, as_type="void"),
        )
    params = copy_params(view, output, merged, start)
    return call("ear_copy", params, view.read(input_), view.write(output, as_type="void"))


def copy_params(
    view: OpView, output: Tensor, loops: Sequence[Loop], start: int, output_start: int = 0
) -> Struct:
    """Return the ear_copy_t of merged loops, from element `start` of the input on."""
    size = DTYPE_BYTES[output.dtype]
    run = size
    if loops and loops[-1].input_stride == loops[-1].output_stride == 1:
        run *= loops[-1].turns
        loops = loops[:-1]
    loops = loops or [Loop(1, 0, 0)]
    if len(loops) > _MAX_LOOPS:
        raise view.fail(f"{named(output)} takes {len(loops)} nested loops; at most {_MAX_LOOPS}")
    table = [(n.turns, n.input_stride * size, n.output_stride * size) for n in loops]
    fields = {
        "run_bytes": run,
        "from": start * size,
        "to": output_start * size,
        "loops": len(loops),
        "loop": Array("loop", "int32_t", np.array(table, np.int32)),
    }
    return Struct("params", "ear_copy_t", fields)


def merge(loops: Iterable[Loop]) -> list[Loop]:
    """Return the fewest loops that walk the same elements in the same order."""
    merged: list[Loop] = []
    for loop in loops:
        if loop.turns == 1:
            continue
        last = merged[-1] if merged else None
        if (
            last
            and last.input_stride == loop.turns * loop.input_stride
            and last.output_stride == loop.turns * loop.output_stride
        ):
            merged[-1] = Loop(last.turns * loop.turns, loop.input_stride, loop.output_stride)
        else:
            merged.append(loop)
    return merged
