"""Resource variables of a graph: which handle is of which, and what each holds at the start.

Refused, by operator and name: variables that are read but never assigned, tensors that do not fit
their variable, and a start that cannot be told without running the model: CALL_ONCE of anything
but assignments of constants, or after the first use.
"""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from edgeasr.errors import InputError
from edgeasr.graph.tensor import Graph, Op, Tensor

_USES = ("READ_VARIABLE", "ASSIGN_VARIABLE")


@dataclass(frozen=True, eq=False)
class Variable:
    """Memory of the model that lasts from one inference to the next, under a unique name.

    initial: uint8 [bytes], what the first inference of TFLite-Micro finds. cleared: the value of
    every byte after a Reset() of its interpreter, which does not run CALL_ONCE again.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    initial: np.ndarray
    cleared: int

    @property
    def bytes(self) -> int:
        return self.initial.size

    @property
    def starts_cleared(self) -> bool:
        return bool((self.initial == self.cleared).all())


@functools.lru_cache(maxsize=16)
def resource_variables(graph: Graph) -> Mapping[int, Variable]:
    """Return the variables of a graph by each tensor that is a handle of one."""
    if not any(op.kind in ("VAR_HANDLE", "CALL_ONCE", *_USES) for op in graph.ops):
        return {}
    handles = _handles(graph)
    found: dict[str, Variable] = {}
    # TFLite-Micro prepares the subgraphs in turn; the first assignment makes the variable.
    for owner in (graph, *graph.subgraphs):
        for name, op, value in _assignments(owner):
            if name not in found:
                found[name] = _cleared(name, value, op)
            _check_fit(found[name], value, op)
    for op in graph.ops:
        if op.kind == "READ_VARIABLE":
            name = _variable(handles, op)
            if name not in found:
                raise _error(op, f'variable "{name}" is never assigned, so it has no size')
            _check_fit(found[name], graph.tensor(op.outputs[0]), op)
    started = found | _started(graph, handles, found)
    return {handle: started[name] for handle, name in handles.items() if name in started}


def reset_restarts(graph: Graph) -> bool:
    """True when Reset() of TFLite-Micro's interpreter brings back the start of a model.

    It does not where CALL_ONCE sets variables to anything but their zero point: it runs once only.
    """
    try:
        return all(variable.starts_cleared for variable in resource_variables(graph).values())
    except InputError:
        return False  # the start is not known


def _error(op: Op, what: str) -> InputError:
    return InputError(f"operator #{op.index} {op.kind}: {what}")


def _handles(graph: Graph) -> dict[int, str]:
    """Return the name of the variable of each tensor that is a handle."""
    handles: dict[int, str] = {}
    containers: dict[str, object] = {}
    for op in graph.ops:
        if op.kind != "VAR_HANDLE":
            continue
        name, container = op.options.get("shared_name"), op.options.get("container")
        # TFLite-Micro compares C strings: a name ends at its first zero byte.
        if not isinstance(name, str) or not name or not name.isprintable() or "\ufffd" in name:
            raise _error(op, f"names its variable {name!r}; a name is printable text")
        if containers.setdefault(name, container) != container:
            raise _error(op, f'variable "{name}" is in two containers; give it two names')
        if op.inputs or len(op.outputs) != 1:
            raise _error(op, f"has {len(op.inputs)} inputs and {len(op.outputs)} outputs; 0 and 1")
        handles[op.outputs[0]] = name
    return handles


def _variable(handles: Mapping[int, str], op: Op) -> str:
    """Return the name of the variable that an operation uses, after a look at its shape."""
    inputs, outputs = (1, 1) if op.kind == "READ_VARIABLE" else (2, 0)
    if (len(op.inputs), len(op.outputs)) != (inputs, outputs):
        raise _error(
            op,
            f"has {len(op.inputs)} inputs and {len(op.outputs)} outputs; it takes {inputs} and "
            f"{outputs}",
        )
    if op.inputs[0] not in handles:
        raise _error(op, f"tensor {op.inputs[0]} is no handle that a VAR_HANDLE of it makes")
    return handles[op.inputs[0]]


def _assignments(graph: Graph) -> Iterator[tuple[str, Op, Tensor]]:
    """Yield variable, operation and value of each assignment, in order."""
    handles = _handles(graph)
    for op in graph.ops:
        if op.kind == "ASSIGN_VARIABLE":
            name = _variable(handles, op)
            if op.inputs[1] < 0:
                raise _error(op, f'assigns nothing to variable "{name}"')
            yield name, op, graph.tensor(op.inputs[1])


def _cleared(name: str, value: Tensor, op: Op) -> Variable:
    """Return a variable that the given value was the first to be assigned to.

    Its bytes are the zero point's lowest byte, in any type (micro_resource_variable.cc).
    """
    if not value.bytes:
        raise _error(op, f'assigns tensor "{value.name}" without elements to variable "{name}"')
    fill = value.quantization.zero_point & 0xFF if value.quantization else 0
    return Variable(name, value.shape, value.dtype, np.full(value.bytes, fill, np.uint8), fill)


def _check_fit(variable: Variable, tensor: Tensor, op: Op) -> None:
    if (tensor.shape, tensor.dtype) != (variable.shape, variable.dtype):
        raise _error(
            op,
            f'tensor "{tensor.name}" is {tensor.dtype} {list(tensor.shape)}; variable '
            f'"{variable.name}" is {variable.dtype} {list(variable.shape)}',
        )


def _started(
    graph: Graph, handles: Mapping[int, str], found: Mapping[str, Variable]
) -> dict[str, Variable]:
    """Return the variables that CALL_ONCE sets, with what it sets them to."""
    started: dict[str, Variable] = {}
    used: set[str] = set()
    for op in graph.ops:
        if op.kind in _USES:
            used.add(_variable(handles, op))
        elif op.kind == "CALL_ONCE":
            for name, content in _initial(graph, op):
                if name in used:
                    raise _error(op, f'sets variable "{name}" after the model has used it')
                v = found[name]
                started[name] = Variable(name, v.shape, v.dtype, content, v.cleared)
    return started


def _initial(graph: Graph, call: Op) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the variables that a CALL_ONCE sets, with their bytes."""
    number = call.options.get("init_subgraph_index")
    if not isinstance(number, int) or not 0 <= number <= len(graph.subgraphs):
        raise _error(call, f"calls subgraph {number}; the model has {len(graph.subgraphs) + 1}")
    if number == 0:
        raise _error(call, "calls subgraph 0, which it is in; that would never end")
    called = graph.subgraphs[number - 1]
    for op in called.ops:
        if op.kind not in ("VAR_HANDLE", "ASSIGN_VARIABLE"):
            raise _error(
                call,
                f"calls subgraph {number}, whose operator #{op.index} is {op.kind}; only "
                "assignments of constants are supported",
            )
    for name, op, value in _assignments(called):
        if value.data is None:
            raise _error(
                call,
                f"calls subgraph {number}, whose operator #{op.index} assigns tensor "
                f'"{value.name}", which is no constant, to variable "{name}"',
            )
        yield name, np.frombuffer(value.data.tobytes(), np.uint8)
