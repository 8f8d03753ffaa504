"""Operations that pick elements while they run: GATHER, GATHER_ND, SELECT_V2 and others."""

import math

import numpy as np

from edgeasr.codegen.call import Alias, Array, KernelCall, Struct
from edgeasr.codegen.lower.copying import MOVED, Box, Loop, block, copied, copy_params, strides
from edgeasr.codegen.lower.view import OpView, call, named
from edgeasr.graph import DTYPE_BYTES, Tensor

_MOST_LOOPS = 8


def gather(view: OpView) -> KernelCall | Alias:
    """GATHER: slices along an axis. Constant indices in equal steps become a plain copy."""
    view.arity(2, 2)
    input_, output, indices = _picked(view)
    rank, index_rank = len(input_.shape), len(indices.shape)
    axis = view.integer("axis", -rank, rank - 1) % rank if rank else 0
    batch_dims = view.integer("batch_dims", -index_rank, index_rank)
    batch_dims += index_rank if batch_dims < 0 else 0
    if rank == 0 or batch_dims > axis or input_.shape[:batch_dims] != indices.shape[:batch_dims]:
        raise view.fail(
            f"{named(input_)} {list(input_.shape)} and {named(indices)} {list(indices.shape)} "
            f"do not have {batch_dims} batch dimensions before axis {axis} in common"
        )
    inner = input_.shape[axis + 1 :]
    view.shape(output, (*input_.shape[:axis], *indices.shape[batch_dims:], *inner))
    _check_range(view, indices, [input_.shape[axis]])
    if batch_dims == 0 and indices.data is not None:
        found = indices.data.ravel().tolist()
        step = found[1] - found[0] if len(found) > 1 else 0
        if found == [found[0] + step * i for i in range(len(found))]:
            return _stepped(view, input_, output, axis, (found[0], step, len(found)))
    fields = {
        "batches": math.prod(input_.shape[:batch_dims]),
        "outer": math.prod(input_.shape[batch_dims:axis]),
        "size": input_.shape[axis],
        "indices": math.prod(indices.shape[batch_dims:]),
        "bytes": math.prod(inner) * DTYPE_BYTES[input_.dtype],
    }
    return _call(view, "ear_gather", fields, indices, input_, output)


def _stepped(
    view: OpView, input_: Tensor, output: Tensor, axis: int, taken: tuple[int, int, int]
) -> KernelCall | Alias:
    first, step, count = taken
    unit = strides(input_.shape)[axis]
    outer = math.prod(input_.shape[:axis])
    loops = (
        Loop(outer, unit * input_.shape[axis], unit * count),
        Loop(count, step * unit, unit),
        Loop(unit, 1, 1),
    )
    return copied(view, input_, output, [Box(first * unit, 0, loops)])


def gather_nd(view: OpView) -> KernelCall:
    """GATHER_ND: slices named by rows of indices, one index for each leading dimension."""
    view.arity(2, 2)
    input_, output, indices = _picked(view)
    depth = indices.shape[-1] if indices.shape else 0
    if not 1 <= depth <= min(len(input_.shape), 5):
        raise view.fail(
            f"{named(indices)} {list(indices.shape)} has {depth} indices for each slice of "
            f"{named(input_)} {list(input_.shape)}; 1 to {min(len(input_.shape), 5)}"
        )
    sizes, inner = input_.shape[:depth], input_.shape[depth:]
    view.shape(output, (*indices.shape[:-1], *inner))
    _check_range(view, indices, list(sizes))
    fields = {
        "slices": math.prod(indices.shape[:-1]),
        "depth": depth,
        "bytes": math.prod(inner) * DTYPE_BYTES[input_.dtype],
        "last": math.prod(sizes) - 1,
        "stride": Array("stride", "int32_t", np.array(strides(sizes), np.int32)),
    }
    return _call(view, "ear_gather_nd", fields, indices, input_, output)


def _picked(view: OpView) -> tuple[Tensor, Tensor, Tensor]:
    input_ = view.input(0, *MOVED)
    return input_, view.output(input_.dtype), view.input(1, "int32")


def _check_range(view: OpView, indices: Tensor, sizes: list[int]) -> None:
    """Refuse constant indices that are not there; their last dimension goes with `sizes`."""
    if indices.data is None:
        return
    found = np.atleast_1d(indices.data)
    wrong = (found < 0) | (found >= np.array(sizes))
    if wrong.any():
        raise view.fail(f"{named(indices)} holds index {found[wrong][0]}; sizes are {sizes}")


def _call(
    view: OpView, kernel: str, fields: dict, indices: Tensor, input_: Tensor, output: Tensor
) -> KernelCall:
    return call(
        kernel,
        Struct("params", f"{kernel}_t", fields),
        view.read(indices, "indices"),
        view.read(input_),
        view.write(output, as_type="void"),
    )


def select_v2(view: OpView) -> KernelCall:
    """SELECT_V2: of two tensors, the element of the first where the condition is true."""
    view.arity(3, 3)
    condition, chosen = view.input(0, "bool"), view.input(1, *MOVED)
    other, output = view.input(2, chosen.dtype), view.output(chosen.dtype)
    inputs = (condition, chosen, other)
    try:
        shape = np.broadcast_shapes(*(t.shape for t in inputs))
    except ValueError:
        raise view.fail(f"shapes {[list(t.shape) for t in inputs]} do not broadcast") from None
    view.shape(output, shape)
    size = DTYPE_BYTES[chosen.dtype]
    loops: list[list[int]] = []  # turns and strides, outermost first
    for turns, *steps in zip(shape, *(_repeated(t.shape, len(shape)) for t in inputs), strict=True):
        if turns == 1:
            continue
        if loops and loops[-1][1:] == [turns * step for step in steps]:
            loops[-1] = [loops[-1][0] * turns, *steps]
        else:
            loops.append([turns, *steps])
    if len(loops) > _MOST_LOOPS:
        raise view.fail(f"broadcasts in {len(loops)} dimensions; at most {_MOST_LOOPS}")
    table = np.array(loops or [[1, 0, 0, 0]], np.int32) * np.array([1, 1, size, size], np.int32)
    fields = {"bytes": size, "loops": len(table), "loop": Array("loop", "int32_t", table)}
    return call(
        "ear_select",
        Struct("params", "ear_select_t", fields),
        view.read(condition, "condition"),
        view.read(chosen, "chosen"),
        view.read(other, "other"),
        view.write(output, as_type="void"),
    )


def _repeated(shape: tuple[int, ...], rank: int) -> list[int]:
    """Return the stride of each of `rank` dimensions, 0 where a tensor is repeated."""
    wide = (1,) * (rank - len(shape)) + shape
    return [0 if n == 1 else step for n, step in zip(wide, strides(wide), strict=True)]


def dynamic_update_slice(view: OpView) -> KernelCall | Alias:
    """DYNAMIC_UPDATE_SLICE: a tensor with another over it, from indices on that are computed."""
    view.arity(3, 3)
    input_ = view.input(0, *MOVED)
    update, output = view.input(1, input_.dtype), view.output(input_.dtype)
    starts = view.input(2, "int32", "int64")
    view.shape(output, input_.shape)
    view.shape(starts, (len(input_.shape),))
    sizes = view.rank(update, len(input_.shape))
    if any(n > m for n, m in zip(sizes, input_.shape, strict=True)):
        raise view.fail(f"{named(update)} {list(sizes)} is larger than {list(input_.shape)}")
    if sizes == input_.shape:
        return block(view, update, output)
    steps = strides(input_.shape)
    unit = DTYPE_BYTES[input_.dtype]
    limits = [(m - n, step * unit) for n, m, step in zip(sizes, input_.shape, steps, strict=True)]
    fields = {
        "bytes": output.bytes,
        "dims": len(limits),
        "dim": Array("dim", "int32_t", np.array(limits, np.int32)),
        "wide": starts.dtype == "int64",
    }
    copy = copy_params(view, output, [Box(0, 0, tuple(map(Loop, sizes, strides(sizes), steps)))])
    return call(
        "ear_update_slice",
        Struct("params", "ear_update_slice_t", fields),
        Struct("copy", copy.c_type, copy.fields),
        view.read(starts, "starts"),
        view.read(input_),
        view.read(update, "update"),
        view.write(output, as_type="void"),
        uses=("ear_copy",),
    )
