"""What all lowerings of int16 activations share: the choice by type, and zero points of 0."""

from collections.abc import Callable

from edgeasr.codegen.call import Alias, KernelCall
from edgeasr.codegen.lower.view import OpView, named
from edgeasr.graph import Tensor

Lowering = Callable[[OpView], KernelCall | Alias]

# What kernel names call the types of tensors.
SHORT = {"int8": "s8", "int16": "s16", "int32": "s32", "float32": "f32"}
# More values than this in one sum could overflow 32 bits.
MAX_SUMMED = (1 << 16) - 1


def by_type(narrow: Lowering, wide: Lowering) -> Lowering:
    """Return a lowering that is `wide` where the first input is int16, else `narrow`."""

    def chosen(view: OpView) -> KernelCall | Alias:
        return wide(view) if _first_dtype(view) == "int16" else narrow(view)

    return chosen


def _first_dtype(view: OpView) -> str:
    first = view.op.inputs[0] if view.op.inputs else -1
    return view.graph.tensor(first).dtype if 0 <= first < len(view.graph.tensors) else ""


def symmetric(view: OpView, *tensors: Tensor) -> None:
    """Require that those of the tensors that are int16 have a zero point of 0."""
    for tensor in tensors:
        if tensor.dtype == "int16" and (point := view.quantization(tensor)[1]) != 0:
            raise view.fail(f"{named(tensor)} has zero point {point}; int16 needs 0")
