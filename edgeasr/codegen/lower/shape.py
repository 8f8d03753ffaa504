"""Operations on whole tensors: RESHAPE and its kin, CONCATENATION, PACK."""

import math

import numpy as np

from edgeasr.codegen.call import Alias, Array, KernelCall, Pointers, Struct
from edgeasr.codegen.lower.copying import MOVED, block
from edgeasr.codegen.lower.view import OpView, call, named
from edgeasr.codegen.lower.wide import symmetric
from edgeasr.graph import DTYPE_BYTES, Tensor

_MOST_INPUTS = 64


def alias(view: OpView) -> Alias | KernelCall:
    """RESHAPE, EXPAND_DIMS, SQUEEZE: the shape changes, the bytes stay where they are."""
    view.arity(1, 2)
    input_ = view.input(0, *MOVED)
    output = view.output(input_.dtype)
    if input_.elements != output.elements:
        raise view.fail(
            f"shapes {list(input_.shape)} and {list(output.shape)} differ in their elements"
        )
    return block(view, input_, output)


def concatenation(view: OpView) -> KernelCall | Alias:
    inputs, output = _inputs(view)
    view.choice("fused_activation_function", "NONE")
    symmetric(view, *(t for t in (*inputs, output) if t.quantization is not None))
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
        if output.dtype in ("int8", "uint8"):
            view.same_quantization(tensor, output)
    total = sum(t.shape[axis] for t in inputs)
    view.shape(output, (*output.shape[:axis], total, *output.shape[axis + 1 :]))
    return _joined(view, inputs, output, math.prod(output.shape[:axis]))


def pack(view: OpView) -> KernelCall | Alias:
    """PACK: tensors of one shape along a new axis."""
    inputs, output = _inputs(view)
    view.integer("values_count", len(inputs), len(inputs))
    rank = len(inputs[0].shape) + 1
    axis = view.integer("axis", -rank, rank - 1) % rank
    for tensor in inputs:
        view.shape(tensor, inputs[0].shape)
    outer, inner = inputs[0].shape[:axis], inputs[0].shape[axis:]
    view.shape(output, (*outer, len(inputs), *inner))
    return _joined(view, inputs, output, math.prod(outer))


def _inputs(view: OpView) -> tuple[list[Tensor], Tensor]:
    """Return the tensors that are joined, all of one type, and what they become."""
    view.arity(1, _MOST_INPUTS)
    first = view.input(0, *MOVED)
    inputs = [view.input(i, first.dtype) for i in range(len(view.op.inputs))]
    return inputs, view.output(first.dtype)


def _joined(view: OpView, inputs: list[Tensor], output: Tensor, rows: int) -> KernelCall | Alias:
    if len(inputs) == 1:
        return block(view, inputs[0], output)
    row_bytes = [t.elements // rows * DTYPE_BYTES[t.dtype] for t in inputs]
    fields = {
        "rows": rows,
        "inputs": len(inputs),
        "row_bytes": Array("row_bytes", "int32_t", np.array(row_bytes, np.int32)),
    }
    params = Struct("params", "ear_concatenation_t", fields)
    items = tuple(view.read(t, f"input{i}") for i, t in enumerate(inputs))
    return call(
        "ear_concatenation", params, Pointers("void", items), view.write(output, as_type="void")
    )
