"""Resource variables: VAR_HANDLE, CALL_ONCE, READ_VARIABLE and ASSIGN_VARIABLE.

And what may be done to variable tensors, which are the state of SVDF, LSTM and CIRCULAR_BUFFER.

The tensor that is a handle stands for the variable's memory. What CALL_ONCE does is done at export:
its constants are what the memory holds at the start.
"""

from collections.abc import Callable

from edgeasr.codegen.call import Alias, KernelCall, Nothing, TensorRef, Value
from edgeasr.codegen.lower.copying import MOVED
from edgeasr.codegen.lower.view import OpView, call, named
from edgeasr.graph import resource_variables

_WRITER = "CUSTOM:CIRCULAR_BUFFER"


def guarded(
    view: OpView, lowering: Callable[[OpView], KernelCall | Alias | Nothing]
) -> KernelCall | Alias | Nothing:
    """Lower an operation; variable tensors share no memory, and only their owners write them."""
    tensors = view.graph.tensors
    for index in view.op.outputs:
        if index < len(tensors) and tensors[index].is_variable and view.op.kind != _WRITER:
            raise view.fail(
                f"writes the variable {named(tensors[index])}; only {_WRITER} may have one as its "
                "output"
            )
    made = lowering(view)
    if isinstance(made, Alias) and tensors[made.source].is_variable:
        raise view.fail(
            f"passes on the variable {named(tensors[made.source])}, which later operations may "
            "change; not supported"
        )
    return made


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
