"""Variable tensors of recurrent layers: what a kernel keeps between inferences."""

from edgeasr.codegen.call import TensorRef
from edgeasr.codegen.lower.view import OpView, c_type, named
from edgeasr.graph import Tensor


def kept(view: OpView, tensor: Tensor) -> TensorRef:
    """Return the argument for a kernel that reads and writes a variable tensor.

    Refused is a tensor that another operator or operand uses too: their order would count.
    """
    if not tensor.is_variable:
        raise view.fail(f"{named(tensor)} must be a variable tensor; it keeps the layer's state")
    uses = sum((*op.inputs, *op.outputs).count(tensor.index) for op in view.graph.ops)
    if uses != 1 or tensor.index in (*view.graph.inputs, *view.graph.outputs):
        raise view.fail(f"{named(tensor)} keeps the layer's state; nothing else may use it")
    return TensorRef(tensor.index, c_type(tensor.dtype), written=True)
