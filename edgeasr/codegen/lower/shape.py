"""Operations that move data: RESHAPE and its kin, PAD, CONCATENATION."""

import math

import numpy as np

from edgeasr.codegen.call import Alias, Array, KernelCall, Pointers, Struct
from edgeasr.codegen.lower.conv import dims
from edgeasr.codegen.lower.view import OpView, call, named
from edgeasr.codegen.lower.wide import SHORT, symmetric
from edgeasr.graph import DTYPE_BYTES, Tensor

_MOVED = ("int8", "uint8", "int16", "int32", "float32")


def alias(view: OpView) -> Alias | KernelCall:
    """RESHAPE, EXPAND_DIMS, SQUEEZE: the shape changes, the bytes stay where they are."""
    view.arity(1, 2)
    input_ = view.input(0, *_MOVED)
    output = view.output(input_.dtype)
    if input_.elements != output.elements:
        raise view.fail(
            f"shapes {list(input_.shape)} and {list(output.shape)} differ in their elements"
        )
    if input_.data is not None:
        return _concatenate(view, [input_], output, 1)
    return Alias(input_.index, output.index)


def concatenation(view: OpView) -> KernelCall:
    view.arity(1, 64)
    first = view.input(0, *_MOVED)
    inputs = [view.input(i, first.dtype) for i in range(len(view.op.inputs))]
    output = view.output(first.dtype)
    view.choice("fused_activation_function", "NONE")
    rank = len(output.shape)
    axis = view.integer("axis", -rank, rank - 1) % rank if rank else 0
    for tensor in inputs:
        shape = view.rank(tensor, rank)
        if rank == 0 or shape[:axis] + shape[axis + 1 :] != (
            output.shape[:axis] + output.shape[axis + 1 :]
        ):
            raise view.fail(
                f"{named(tensor)} has shape {list(shape)}; along axis {axis} it does not "
                f"fit the output's {list(output.shape)}"
            )
        if first.dtype in ("int8", "uint8", "int16"):
            view.same_quantization(tensor, output)
    total = sum(t.shape[axis] for t in inputs)
    view.shape(output, (*output.shape[:axis], total, *output.shape[axis + 1 :]))
    return _concatenate(view, inputs, output, math.prod(output.shape[:axis]))


def _concatenate(view: OpView, inputs: list[Tensor], output: Tensor, rows: int) -> KernelCall:
    row_bytes = [t.elements // rows * DTYPE_BYTES[t.dtype] for t in inputs]
    params = Struct(
        "params",
        "ear_concatenation_t",
        {
            "rows": rows,
            "inputs": len(inputs),
            "row_bytes": Array("row_bytes", "int32_t", np.array(row_bytes, np.int32)),
        },
    )
    items = tuple(view.read(t, f"input{i}") for i, t in enumerate(inputs))
    return call(
        "ear_concatenation", params, Pointers("void", items), view.write(output, as_type="void")
    )


def pad(view: OpView) -> KernelCall:
    view.arity(2, 3)
    input_ = view.input(0, "int8", "int16")
    output = view.output(input_.dtype)
    symmetric(view, input_, output)
    rank = len(input_.shape)
    if not 1 <= rank <= 4:
        raise view.fail(f"{named(input_)} has {rank} dimensions; supported: 1 to 4")
    before, after = _paddings(view, view.input(1, "int32"), rank)
    view.shape(
        output, tuple(b + n + a for b, n, a in zip(before, input_.shape, after, strict=True))
    )
    lead = (1,) * (4 - rank)
    ahead = (0,) * (4 - rank) + before
    params = Struct(
        "params",
        "ear_pad_t",
        {
            **dict(zip(("before_n", "before_h", "before_w", "before_c"), ahead, strict=True)),
            "value": _pad_value(view, output),
        },
    )
    return call(
        f"ear_pad_{SHORT[input_.dtype]}",
        params,
        dims("input_dims", lead + input_.shape),
        view.read(input_),
        dims("output_dims", lead + output.shape),
        view.write(output),
    )


def _paddings(view: OpView, tensor: Tensor, rank: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    view.shape(tensor, (rank, 2))
    pairs = view.constant(tensor).tolist()
    if any(not 0 <= n < 1 << 28 for pair in pairs for n in pair):
        raise view.fail(f"{named(tensor)} holds {pairs}; paddings must not be negative")
    return tuple(b for b, _ in pairs), tuple(a for _, a in pairs)


def _pad_value(view: OpView, output: Tensor) -> int:
    """The zero of the output, or PADV2's constant, which must have the output's quantization."""
    value = view.optional(2, output.dtype)
    if value is None:
        return view.quantization(output)[1]
    if value.elements != 1:
        raise view.fail(f"{named(value)} has {value.elements} elements; it must have 1")
    view.same_quantization(value, output)
    return int(view.constant(value).ravel()[0])
