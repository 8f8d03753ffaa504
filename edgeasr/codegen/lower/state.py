"""Resource variables: VAR_HANDLE, CALL_ONCE, READ_VARIABLE and ASSIGN_VARIABLE.

The tensor that is a handle stands for the variable's memory. What CALL_ONCE does is done at export:
its constants are what the memory holds at the start.
"""

from edgeasr.codegen.call import KernelCall, Nothing, TensorRef, Value
from edgeasr.codegen.lower.copying import MOVED
from edgeasr.codegen.lower.view import OpView, call
from edgeasr.graph import resource_variables


def handle(view: OpView) -> Nothing:
    """VAR_HANDLE and CALL_ONCE: nothing is left to do at run time."""
    resource_variables(view.graph)
    return Nothing()


def read_variable(view: OpView) -> KernelCall:
    """READ_VARIABLE: a copy, as the variable may be assigned before its value is last used."""
    view.arity(1, 1)
    resource_variables(view.graph)
    output = view.output(*MOVED)
    memory = TensorRef(view.op.inputs[0], "void")
    return call("ear_copy_block", Value(0), Value(output.bytes), memory, view.write(output, "void"))


def assign_variable(view: OpView) -> KernelCall:
    view.arity(2, 2, outputs=0)
    resource_variables(view.graph)
    value = view.input(1, *MOVED)
    memory = TensorRef(view.op.inputs[0], "void", written=True)
    return call("ear_copy_block", Value(0), Value(value.bytes), view.read(value), memory)
