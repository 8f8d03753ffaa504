"""Kernel calls to what the template of `model.c` prints of each layer, and what is known of it."""

from edgeasr.codegen import cname, macs
from edgeasr.codegen.call import (
    Argument,
    Array,
    Function,
    KernelCall,
    Pointers,
    Scratch,
    State,
    Struct,
    TensorRef,
    Value,
)
from edgeasr.codegen.persistent import layer_name
from edgeasr.graph import Graph, Op, Tensor
from edgeasr.plan import Plan
from edgeasr.project import Layer

C_TYPES = {
    "int8": "EAR_TYPE_INT8",
    "int16": "EAR_TYPE_INT16",
    "uint8": "EAR_TYPE_UINT8",
    "int32": "EAR_TYPE_INT32",
    "float32": "EAR_TYPE_FLOAT32",
    "uint32": "EAR_TYPE_UINT32",
    "int64": "EAR_TYPE_INT64",
    "uint64": "EAR_TYPE_UINT64",
    "bool": "EAR_TYPE_BOOL",
    "uint16": "EAR_TYPE_UINT16",
}


def describe(graph: Graph, index: int, op: Op, call: KernelCall) -> Layer:
    """Return what the host is told of layer `index`."""
    return Layer(
        index=index,
        op=op.index,
        kind=op.kind,
        kernel=call.kernel,
        tensor=result(graph, op).index,
        macs=macs.macs(graph, op),
        constant_bytes=sum(a.bytes for a in call.arrays()),
        packing=call.weights.form if call.weights else None,
        weight_bits=call.weights.bits if call.weights else 0,
        weight_count=call.weights.values if call.weights else 0,
        weight_bytes=call.weights.bytes if call.weights else 0,
    )


def result(graph: Graph, op: Op) -> Tensor:
    """Return the tensor that is shown as an operation's output.

    An operation that assigns a variable makes no tensor: its last input is shown, whose bytes are
    in the variable then.
    """
    return graph.tensor(op.outputs[0] if op.outputs else op.inputs[-1])


def end(tensor: Tensor, offset: int) -> dict[str, object]:
    """Return bytes, type and offset of a tensor that the firmware hands out."""
    return {"bytes": tensor.bytes, "type": C_TYPES[tensor.dtype], "offset": offset}


class LayerWriter:
    """Turns one kernel call into the finished values that the template prints."""

    def __init__(self, graph: Graph, made: Plan, index: int, op: Op, call: KernelCall):
        self.graph, self.plan, self.index, self.op, self.call = graph, made, index, op, call

    def context(self) -> dict[str, object]:
        output = result(self.graph, self.op)
        place = self.op.outputs[0] if self.op.outputs else self.op.inputs[0]
        return {
            "index": self.index,
            "comment": self.comment(output),
            "kernel": self.call.kernel,
            "arrays": [self.array(a) for a in self.call.arrays()],
            "structs": [self.struct(s) for s in self.call.structs()],
            "arguments": [self.argument(a) for a in self.call.arguments],
            "output": end(output, self.plan.tensors[place]),
        }

    def comment(self, output: Tensor) -> str:
        shapes = [list(self.graph.tensor(i).shape) for i in (self.op.inputs[0], output.index)]
        return cname.comment(f"{self.op.kind} {shapes[0]} -> {shapes[1]}, {output.name}")

    def name(self, part: str) -> str:
        return cname.identifier(f"l{self.index}_{part}")

    def array(self, array: Array) -> dict[str, object]:
        return {
            "c_type": array.c_type,
            "name": self.name(array.name),
            "length": array.values.size,
            "alignment": array.alignment,
            "elements": array.values,
        }

    def struct(self, struct: Struct) -> dict[str, object]:
        fields = [{"name": k, "value": self.field(v)} for k, v in struct.fields.items()]
        return {"c_type": struct.c_type, "name": self.name(struct.name), "fields": fields}

    def field(self, value: int | float | Array | Function | tuple[int, ...] | None) -> str:
        if value is None:
            return "NULL"
        if isinstance(value, Array):
            return self.name(value.name)
        if isinstance(value, Function):
            return value.name
        if isinstance(value, tuple):
            return "{" + ", ".join(cname.integer(v) for v in value) + "}"
        return cname.real(value) if isinstance(value, float) else cname.integer(value)

    def argument(self, argument: Argument) -> str:
        match argument:
            case Array():
                return self.name(argument.name)
            case Struct():
                return f"&{self.name(argument.name)}"
            case TensorRef():
                const = "" if argument.written else "const "
                return self.pointer(const + argument.c_type, self.plan.tensors[argument.index])
            case Pointers():
                items = ", ".join(self.argument(item) for item in argument.items)
                const = "" if argument.written else "const "
                return f"({const}{argument.c_type} *const[]){{{items}}}"
            case Scratch(bytes=0):
                return "NULL"
            case Scratch():
                return self.pointer(argument.c_type, self.plan.scratch[self.op.index])
            case State():
                name = layer_name(self.op, argument)
                at = next(p.offset for p in self.plan.state if p.buffer.name == name)
                return self.pointer(argument.c_type, at)
            case Value(value=None):
                return "NULL"
            case Value():
                return cname.integer(argument.value)
        raise TypeError(f"argument {argument!r} of {self.call.kernel}")

    def pointer(self, c_type: str, offset: int) -> str:
        # By way of void *: the arena and every offset are aligned to 16 bytes.
        return f"({c_type} *)(void *)(arena + {offset})"
