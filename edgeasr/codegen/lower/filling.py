"""Operations whose output follows from shapes or one value alone: FILL, ZEROS_LIKE, SHAPE."""

import numpy as np

from edgeasr.codegen.call import Array, KernelCall, Value
from edgeasr.codegen.lower.copying import MOVED
from edgeasr.codegen.lower.view import OpView, call, named
from edgeasr.graph import DTYPE_BYTES


def fill(view: OpView) -> KernelCall:
    """FILL: one value everywhere, in a shape that is a constant."""
    view.arity(2, 2)
    sizes = view.input(0, "int32", "int64", "int16", "int8")
    value = view.input(1, *MOVED)
    output = view.output(value.dtype)
    view.shape(output, tuple(view.constant(sizes).ravel().tolist()))
    if value.elements != 1:
        raise view.fail(f"{named(value)} has {value.elements} elements; it must have 1")
    return call(
        "ear_fill",
        Value(DTYPE_BYTES[value.dtype]),
        Value(output.elements),
        view.read(value, "value"),
        view.write(output, as_type="void"),
    )


def zeros_like(view: OpView) -> KernelCall:
    """ZEROS_LIKE: bytes of 0, whatever the zero point, as TFLite-Micro has it."""
    view.arity(1, 1)
    input_ = view.input(0, *MOVED)
    output = view.output(input_.dtype)
    view.shape(output, input_.shape)
    zero = Array("zero", "uint8_t", np.zeros(1, np.uint8))
    return call("ear_fill", Value(1), Value(output.bytes), zero, view.write(output, as_type="void"))


def shape(view: OpView) -> KernelCall:
    """SHAPE: the sizes of the input, which are known at export."""
    view.arity(1, 1)
    input_, output = view.input(0, *MOVED), view.output("int32")
    view.shape(output, (len(input_.shape),))
    sizes = Array("sizes", "int32_t", np.array(input_.shape, np.int32))
    return call(
        "ear_copy_block",
        Value(0),
        Value(output.bytes),
        sizes,
        view.write(output, as_type="void"),
    )
