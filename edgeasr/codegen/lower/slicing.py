"""Operations that take parts of a tensor: STRIDED_SLICE, SLICE, SPLIT, SPLIT_V, UNPACK."""

import math

import numpy as np

from edgeasr.codegen.call import Alias, Array, KernelCall, Pointers, Struct
from edgeasr.codegen.lower.copying import MOVED, block, gather, strides
from edgeasr.codegen.lower.view import OpView, call, named
from edgeasr.graph import DTYPE_BYTES, Tensor

_INDICES = ("int32", "int64")
_MOST_OUTPUTS = 64


def strided_slice(view: OpView) -> KernelCall | Alias:
    """STRIDED_SLICE: each dimension from begin to end (excluded) in steps, as Python slices do."""
    view.arity(4, 4)
    input_ = view.input(0, *MOVED)
    output = view.output(input_.dtype)
    for name in ("ellipsis_mask", "new_axis_mask"):
        if mask := view.integer(name, 0, 255):
            raise view.fail(f"option {name} is {mask}; only 0 is supported, as in TFLite-Micro")
    masks = {name: view.integer(f"{name}_mask", 0, 255) for name in ("begin", "end", "shrink_axis")}
    bounds = zip(*(_indices(view, i, input_) for i in (1, 2, 3)), strict=True)
    ranges = [
        _range(view, input_, axis, *numbers, {n for n, mask in masks.items() if mask >> axis & 1})
        for axis, numbers in enumerate(bounds)
    ]
    kept = [len(r) for axis, r in enumerate(ranges) if not masks["shrink_axis"] >> axis & 1]
    view.shape(output, tuple(kept))
    return _sliced(view, input_, output, ranges)


def _range(
    view: OpView, input_: Tensor, axis: int, begin: int, end: int, step: int, masked: set[str]
) -> range:
    """Return the indices that are taken along an axis; there must be one at least."""
    size = input_.shape[axis]
    if step == 0:
        raise view.fail(f"stride along axis {axis} is 0; it must not be")
    if "shrink_axis" in masked:
        taken = 0 if "begin" in masked else begin + size if begin < 0 else begin
        if not 0 <= taken < size or step < 0:
            raise view.fail(
                f"takes index {begin} in steps of {step} along axis {axis} of {named(input_)} "
                f"{list(input_.shape)}; one index needs a positive step and must be there"
            )
        return range(taken, taken + 1)
    wanted = slice(None if "begin" in masked else begin, None if "end" in masked else end, step)
    found = range(*wanted.indices(size))
    if not found:
        raise view.fail(
            f"takes nothing along axis {axis} of {named(input_)} {list(input_.shape)}: "
            f"begin {begin}, end {end}, stride {step}"
        )
    return found


def slice_(view: OpView) -> KernelCall | Alias:
    """SLICE: `size` elements of each dimension from `begin` on; -1 is all that are left."""
    view.arity(3, 3)
    input_ = view.input(0, *MOVED)
    output = view.output(input_.dtype)
    ranges = []
    begins, sizes = (_indices(view, i, input_) for i in (1, 2))
    for axis, (begin, size) in enumerate(zip(begins, sizes, strict=True)):
        end = input_.shape[axis] if size == -1 else begin + size
        if not 0 <= begin < end <= input_.shape[axis]:
            raise view.fail(
                f"takes {size} elements from {begin} on along axis {axis} of {named(input_)} "
                f"{list(input_.shape)}"
            )
        ranges.append(range(begin, end))
    view.shape(output, tuple(map(len, ranges)))
    return _sliced(view, input_, output, ranges)


def _indices(view: OpView, position: int, input_: Tensor) -> list[int]:
    tensor = view.input(position, *_INDICES)
    view.shape(tensor, (len(input_.shape),))
    return view.constant(tensor).tolist()


def _sliced(
    view: OpView, input_: Tensor, output: Tensor, ranges: list[range]
) -> KernelCall | Alias:
    steps = strides(input_.shape)
    start = sum(r.start * step for r, step in zip(ranges, steps, strict=True))
    return gather(
        view,
        input_,
        output,
        [len(r) for r in ranges],
        [r.step * step for r, step in zip(ranges, steps, strict=True)],
        start,
    )


def split(view: OpView) -> KernelCall | Alias:
    """SPLIT: equal parts along an axis, the first input."""
    outputs = _outputs(view, 2)
    input_ = view.input(1, *MOVED)
    view.integer("num_splits", len(outputs), len(outputs))
    axis = _axis(view, input_, view.input(0, "int32"))
    size, rest = divmod(input_.shape[axis], len(outputs))
    if rest:
        raise view.fail(
            f"{named(input_)} has {input_.shape[axis]} elements along axis {axis}; "
            f"{len(outputs)} outputs do not divide them"
        )
    return _parts(view, input_, axis, [size] * len(outputs))


def split_v(view: OpView) -> KernelCall | Alias:
    """SPLIT_V: parts along an axis, of the sizes that the second input lists."""
    outputs = _outputs(view, 3)
    input_ = view.input(0, *MOVED)
    view.integer("num_splits", len(outputs), len(outputs))
    axis = _axis(view, input_, view.input(2, "int32"))
    sizes = view.constant(view.input(1, *_INDICES)).ravel().tolist()
    total = input_.shape[axis]
    if sizes.count(-1) == 1:
        sizes[sizes.index(-1)] = total - sum(sizes) - 1
    if len(sizes) != len(outputs) or any(n < 1 for n in sizes) or sum(sizes) != total:
        raise view.fail(
            f"sizes {sizes} do not split the {total} elements of {named(input_)} along axis "
            f"{axis} in {len(outputs)} parts"
        )
    return _parts(view, input_, axis, sizes)


def unpack(view: OpView) -> KernelCall | Alias:
    """UNPACK: what lies at each index of an axis becomes a tensor without that axis."""
    outputs = _outputs(view, 1)
    input_ = view.input(0, *MOVED)
    view.integer("num", len(outputs), len(outputs))
    rank = len(input_.shape)
    axis = view.integer("axis", -rank, rank - 1) % rank if rank else 0
    if rank == 0 or input_.shape[axis] != len(outputs):
        raise view.fail(
            f"{named(input_)} {list(input_.shape)} does not have {len(outputs)} elements along "
            f"axis {axis}, one for each output"
        )
    shape = input_.shape[:axis] + input_.shape[axis + 1 :]
    return _parts(view, input_, axis, [1] * len(outputs), shape)


def _outputs(view: OpView, inputs: int) -> tuple[int, ...]:
    """Check how many inputs and outputs there are; return the outputs."""
    outputs = view.op.outputs
    if not 1 <= len(outputs) <= _MOST_OUTPUTS:
        raise view.fail(f"has {len(outputs)} outputs; it takes 1 to {_MOST_OUTPUTS}")
    view.arity(inputs, inputs, len(outputs))
    if len(set(outputs)) != len(outputs):
        raise view.fail(f"names an output twice: {list(outputs)}")
    return outputs


def _axis(view: OpView, input_: Tensor, tensor: Tensor) -> int:
    rank = len(input_.shape)
    values = view.constant(tensor).ravel().tolist()
    if len(values) != 1 or not -rank <= values[0] < rank:
        raise view.fail(f"{named(tensor)} holds {values}; one axis, {-rank} to {rank - 1}")
    return values[0] % rank


def _parts(
    view: OpView, input_: Tensor, axis: int, sizes: list[int], shape: tuple[int, ...] | None = None
) -> KernelCall | Alias:
    """Split along an axis in parts of these sizes; their shape follows, or is `shape`."""
    outputs = [view.output(input_.dtype, position=i) for i in range(len(sizes))]
    outer, inner = input_.shape[:axis], input_.shape[axis + 1 :]
    for output, size in zip(outputs, sizes, strict=True):
        view.shape(output, (*outer, size, *inner) if shape is None else shape)
    if len(outputs) == 1:
        return block(view, input_, outputs[0])
    unit = math.prod(inner) * DTYPE_BYTES[input_.dtype]
    fields = {
        "rows": math.prod(outer),
        "outputs": len(sizes),
        "row_bytes": Array("row_bytes", "int32_t", np.array(sizes, np.int32) * unit),
    }
    items = tuple(view.write(output, as_type="void") for output in outputs)
    params = Struct("params", "ear_split_t", fields)
    return call("ear_split", params, view.read(input_), Pointers("void", items))
