"""Variable tensors of recurrent layers, as memory that a kernel keeps between inferences."""

import numpy as np

from edgeasr.codegen.call import State
from edgeasr.codegen.lower.view import OpView, c_type, named
from edgeasr.graph import Tensor


def kept(view: OpView, tensor: Tensor, name: str) -> State:
    """Return the argument for a kernel that reads and writes a variable tensor of its own.

    At the start and after a reset it holds its zero point where it is int8, and zeros otherwise,
    as TFLite-Micro has it. Refused is a tensor that another operator or operand uses too.
    """
    if not tensor.is_variable or tensor.data is not None:
        raise view.fail(f"{named(tensor)} must be a variable tensor; it keeps the layer's state")
    uses = sum((*op.inputs, *op.outputs).count(tensor.index) for op in view.graph.ops)
    if uses != 1 or tensor.index in (*view.graph.inputs, *view.graph.outputs):
        raise view.fail(f"{named(tensor)} keeps the layer's state; nothing else may use it")
    start = view.quantization(tensor)[1] if tensor.dtype == "int8" else 0
    values = np.full(tensor.elements, start, tensor.dtype)
    return State(name, c_type(tensor.dtype), values)
