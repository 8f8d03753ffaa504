"""Operations that put elements in another order, or repeat them: TRANSPOSE and its kin."""

from edgeasr.codegen.call import Alias, KernelCall
from edgeasr.codegen.lower.copying import MOVED, gather, strides
from edgeasr.codegen.lower.view import OpView, named
from edgeasr.graph import Tensor


def transpose(view: OpView) -> KernelCall | Alias:
    view.arity(2, 2)
    input_, output, order = _tensors(view)
    rank = len(input_.shape)
    view.shape(order, (rank,))
    axes = view.constant(order).tolist()
    if sorted(axes) != list(range(rank)):
        raise view.fail(f"{named(order)} holds {axes}; it must name each axis 0 to {rank - 1} once")
    view.shape(output, tuple(input_.shape[axis] for axis in axes))
    steps = strides(input_.shape)
    return gather(view, input_, output, output.shape, [steps[axis] for axis in axes])


def reverse(view: OpView) -> KernelCall | Alias:
    """REVERSE_V2: the axes that the second input names run backwards."""
    view.arity(2, 2)
    input_, output, axes = _tensors(view)
    rank = len(input_.shape)
    view.shape(output, input_.shape)
    named_axes = view.constant(axes).ravel().tolist()
    if any(not -rank <= axis < rank for axis in named_axes):
        raise view.fail(f"{named(axes)} holds {named_axes}; axes are {-rank} to {rank - 1}")
    turned = {axis % rank for axis in named_axes}
    steps = strides(input_.shape)
    start = sum((input_.shape[axis] - 1) * steps[axis] for axis in turned)
    moved = [-step if axis in turned else step for axis, step in enumerate(steps)]
    return gather(view, input_, output, output.shape, moved, start)


def broadcast_to(view: OpView) -> KernelCall | Alias:
    """BROADCAST_TO: dimensions of size 1 are repeated; missing ones are put in front."""
    view.arity(2, 2)
    input_, output, shape = _tensors(view)
    view.shape(output, tuple(view.constant(shape).ravel().tolist()))
    missing = len(output.shape) - len(input_.shape)
    wide = (1,) * missing + input_.shape
    if missing < 0 or any(n not in (1, m) for n, m in zip(wide, output.shape, strict=True)):
        raise view.fail(
            f"{named(input_)} has shape {list(input_.shape)}; it cannot be broadcast to "
            f"{list(output.shape)}"
        )
    steps = [0 if n == 1 else step for n, step in zip(wide, strides(wide), strict=True)]
    return gather(view, input_, output, output.shape, steps)


def depth_to_space(view: OpView) -> KernelCall | Alias:
    """DEPTH_TO_SPACE: blocks of channels become neighbours in height and width."""
    view.arity(1, 1)
    input_ = view.input(0, *MOVED)
    output = view.output(input_.dtype)
    batch, height, width, depth = view.rank(input_, 4)
    size = view.integer("block_size")
    if depth % (size * size):
        raise view.fail(f"{named(input_)} has {depth} channels; {size}x{size} does not divide them")
    left = depth // (size * size)
    view.shape(output, (batch, height * size, width * size, left))
    row = width * depth
    # In the output's order: batch and row, row in the block, column, column in the block, channel.
    shape = (batch * height, size, width, size, left)
    return gather(view, input_, output, shape, (row, size * left, depth, left, 1))


def space_to_depth(view: OpView) -> KernelCall | Alias:
    """SPACE_TO_DEPTH: neighbours in height and width become blocks of channels."""
    view.arity(1, 1)
    input_ = view.input(0, *MOVED)
    output = view.output(input_.dtype)
    batch, height, width, depth = view.rank(input_, 4)
    size = view.integer("block_size")
    if height % size or width % size:
        raise view.fail(f"{named(input_)} is {height}x{width}; {size}x{size} does not divide it")
    view.shape(output, (batch, height // size, width // size, depth * size * size))
    row = width * depth
    shape = (batch * height // size, width // size, size, size, depth)
    return gather(view, input_, output, shape, (row * size, depth * size, row, depth, 1))


def _tensors(view: OpView) -> tuple[Tensor, Tensor, Tensor]:
    """Return input, output and the second input, which holds axes or sizes."""
    input_ = view.input(0, *MOVED)
    return input_, view.output(input_.dtype), view.input(1, "int32", "int64")
