"""CUSTOM:CIRCULAR_BUFFER: the last inputs of a stream, as one tensor that lasts."""

from edgeasr.codegen.call import KernelCall, Value
from edgeasr.codegen.lower.view import OpView, call, named

# Without the option cycles_max, TFLite-Micro knows by its slots which buffer runs each time.
_SLOTS_OF_EACH_TIME = (5, 13, 25)


def circular_buffer(view: OpView) -> KernelCall:
    """Return the call that puts the input, one slot, behind those that came before it.

    The output must be a variable tensor, which holds them from one inference to the next. Refused
    is a buffer that lets the layers behind it run in some of the inferences only.
    """
    view.arity(1, 1)
    input_, output = view.input(0, "int8"), view.output("int8")
    batch, slots, *rest = view.rank(output, 4)
    view.shape(input_, (batch, 1, *rest))
    if batch != 1:
        raise view.fail(f"{named(output)} has {batch} batches; supported: 1")
    if not output.is_variable:
        raise view.fail(f"{named(output)} must be a variable tensor; it keeps the last inputs")
    cycles = view.op.options.get("cycles_max", 0)
    if cycles != 1 and not (cycles == 0 and slots in _SLOTS_OF_EACH_TIME):
        raise view.fail(f"option cycles_max is {cycles}; supported: 1, a result in every inference")
    return call(
        "ear_circular_buffer",
        Value(input_.bytes),
        Value(output.bytes),
        view.read(input_),
        view.write(output, as_type="void"),
    )
