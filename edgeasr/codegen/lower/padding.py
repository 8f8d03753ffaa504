"""Operations that put values around a tensor: PAD, PADV2, MIRROR_PAD."""

import itertools

import numpy as np

from edgeasr.codegen.call import Alias, Array, KernelCall, TensorRef, Value
from edgeasr.codegen.lower.copying import MOVED, Box, Loop, copied, copy_params, strides
from edgeasr.codegen.lower.view import OpView, c_type, call, named
from edgeasr.graph import DTYPE_BYTES, Tensor

_INDICES = ("int32", "int64")
_MOST = 1 << 28


def pad(view: OpView) -> KernelCall | Alias:
    """PAD with the output's zero, PADV2 with a value of the output's quantization."""
    view.arity(2, 3)
    input_ = view.input(0, *MOVED)
    output = view.output(input_.dtype)
    pairs = paddings(view, view.input(1, *_INDICES), len(input_.shape))
    view.shape(output, tuple(b + n + a for n, (b, a) in zip(input_.shape, pairs, strict=True)))
    value = _pad_value(view, output)
    inner = strides(output.shape)
    at = sum(before * step for (before, _), step in zip(pairs, inner, strict=True))
    loops = tuple(map(Loop, input_.shape, strides(input_.shape), inner))
    return padded(view, input_, output, [Box(0, at, loops)], value)


def _pad_value(view: OpView, output: Tensor) -> TensorRef | Array:
    """The zero of the output, or PADV2's value."""
    value = view.optional(2, output.dtype)
    if value is None:
        zero = 0
        if output.dtype in ("int8", "uint8") and output.quantization is not None:
            zero = view.quantization(output)[1]
        return Array("value", c_type(output.dtype), _elements(zero, output))
    if value.elements != 1:
        raise view.fail(f"{named(value)} has {value.elements} elements; it must have 1")
    if output.dtype in ("int8", "uint8"):
        view.same_quantization(value, output)
    return view.read(value, "value")


def mirror_pad(view: OpView) -> KernelCall | Alias:
    """MIRROR_PAD: what lies next to each edge, backwards; without the edge where it reflects."""
    view.arity(2, 2)
    input_ = view.input(0, *MOVED)
    output = view.output(input_.dtype)
    edge = 1 if view.choice("mode", "REFLECT", "SYMMETRIC") == "REFLECT" else 0
    pairs = paddings(view, view.input(1, *_INDICES), len(input_.shape))
    for axis, (n, pair) in enumerate(zip(input_.shape, pairs, strict=True)):
        if max(pair) > n - edge:
            raise view.fail(
                f"pads {max(pair)} elements along axis {axis} of {named(input_)}, which has "
                f"{n - edge} to mirror"
            )
    view.shape(output, tuple(b + n + a for n, (b, a) in zip(input_.shape, pairs, strict=True)))
    steps = zip(strides(input_.shape), strides(output.shape), strict=True)
    axes = [
        [Box(start * a, to * b, (Loop(turns, step * a, b),)) for start, to, turns, step in parts]
        for parts, (a, b) in zip(
            (_mirrored(n, *pair, edge) for n, pair in zip(input_.shape, pairs, strict=True)),
            steps,
            strict=True,
        )
    ]
    boxes = [
        Box(
            sum(part.start for part in parts),
            sum(part.output_start for part in parts),
            tuple(loop for part in parts for loop in part.loops),
        )
        for parts in itertools.product(*axes)
    ]
    return copied(view, input_, output, boxes)


def _mirrored(size: int, before: int, behind: int, edge: int) -> list[tuple[int, int, int, int]]:
    """Return the parts of an axis: start in the input and in the output, elements, direction."""
    parts = [
        (before + edge - 1, 0, before, -1),
        (0, before, size, 1),
        (size - 1 - edge, before + size, behind, -1),
    ]
    return [part for part in parts if part[2]]


def _elements(value: int, output: Tensor) -> np.ndarray:
    return np.array([value], "uint8" if output.dtype == "bool" else output.dtype)


def padded(
    view: OpView, input_: Tensor, output: Tensor, boxes: list[Box], value: TensorRef | Array
) -> KernelCall | Alias:
    """Return what copies boxes of the input into the output, and puts `value` everywhere else."""
    if output.elements == input_.elements:
        return copied(view, input_, output, boxes)
    size, count = DTYPE_BYTES[output.dtype], output.elements
    if isinstance(value, Array):
        held = value.values.tobytes()
        if len(set(held)) == 1:
            size, count = 1, output.bytes
            value = Array(value.name, "uint8_t", np.frombuffer(held[:1], np.uint8))
    return call(
        "ear_pad",
        copy_params(view, output, boxes),
        Value(size),
        Value(count),
        value,
        view.read(input_),
        view.write(output, as_type="void"),
        uses=("ear_copy", "ear_fill"),
    )


def paddings(view: OpView, tensor: Tensor, count: int) -> list[tuple[int, int]]:
    """Return what a constant [count, 2] holds: elements before and behind, not negative."""
    view.shape(tensor, (count, 2))
    pairs = view.constant(tensor).tolist()
    if any(not 0 <= n < _MOST for pair in pairs for n in pair):
        raise view.fail(f"{named(tensor)} holds {pairs}; they must not be negative")
    return [(before, behind) for before, behind in pairs]
