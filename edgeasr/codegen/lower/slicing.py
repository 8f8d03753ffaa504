"""Operations that take parts of a tensor: STRIDED_SLICE, SLICE."""

from edgeasr.codegen.call import Alias, KernelCall
from edgeasr.codegen.lower.copying import MOVED, gather, strides
from edgeasr.codegen.lower.view import OpView, named
from edgeasr.graph import Tensor

_INDICES = ("int32", "int64")


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
