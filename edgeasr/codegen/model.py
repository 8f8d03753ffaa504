"""A speech model to `model.c` and `model.h` of the `ear` engine: tables, a call list, an arena."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgeasr import __version__, plan
from edgeasr.codegen import cname, coverage, lower, macs
from edgeasr.codegen.call import (
    KERNEL_HEADERS,
    Alias,
    Argument,
    Array,
    Function,
    KernelCall,
    Pointers,
    Scratch,
    Struct,
    TensorRef,
    Value,
)
from edgeasr.codegen.environment import render
from edgeasr.codegen.packing import (
    BLOCK_BYTES,
    BLOCK_BYTES_MOST,
    Packed,
    candidates,
    pack_raw,
    smallest,
    unpack,
    worth_linking,
)
from edgeasr.codegen.runtime import RUNTIME_VERSION
from edgeasr.errors import InputError
from edgeasr.graph import Graph, Op, Tensor
from edgeasr.project import Layer

_Calls = list[tuple[Op, KernelCall]]
PACKINGS = ("smallest", "raw")
_C_TYPES = {
    "int8": "EAR_TYPE_INT8",
    "int16": "EAR_TYPE_INT16",
    "uint8": "EAR_TYPE_UINT8",
    "int32": "EAR_TYPE_INT32",
    "float32": "EAR_TYPE_FLOAT32",
}


@dataclass(frozen=True, eq=False)
class ModelCode:
    """The engine's generated C and what is known of it before any compiler has run.

    files: text by file name. sources: the runtime files that it needs. packed: weights by layer.
    """

    files: Mapping[str, str]
    sources: tuple[str, ...]
    layers: tuple[Layer, ...]
    plan: plan.Plan
    packed: Mapping[int, Packed]

    @property
    def constant_bytes(self) -> int:
        return sum(layer.constant_bytes for layer in self.layers)


def banner(name: str, content: bytes, board: str) -> str:
    """Return the first line of a generated file: generator, model, hash, board."""
    digest = hashlib.sha256(content).hexdigest()[:16]
    return (
        f"edgeasr {__version__}: model {cname.comment(name)} ({digest}) "
        f"for board {cname.comment(board)}. Generated: do not edit."
    )


def generate(
    graph: Graph,
    *,
    name: str,
    labels: Sequence[str],
    content: bytes,
    board: str,
    where: str,
    packing: str = "smallest",
) -> ModelCode:
    """Generate the model's C. content: bytes of the `.tflite`, whose hash the firmware carries.

    packing: of weights, one of PACKINGS: the smallest form that their values allow, or raw int8.

    Raises InputError naming operation, tensor and type when the engine cannot run the graph.
    """
    problems = coverage.check(graph)
    if problems:
        raise InputError(
            f"{where}: the ear engine cannot run this model:\n  " + "\n  ".join(problems)
        )
    _check_ends(graph, where)
    calls, aliases = _lower_all(graph, where)
    made = _plan(graph, calls, aliases)
    if packing != "raw":
        calls = _pack(graph, calls, made)
        made = _plan(graph, calls, aliases)
    layers = tuple(_layer(graph, i, op, call) for i, (op, call) in enumerate(calls))
    sources = sorted({s for _, call in calls for s in call.sources})
    context = {
        "banner": banner(name, content, board),
        "name": name,
        "hash": [f"0x{b:02x}" for b in hashlib.sha256(content).digest()[:8]],
        "labels": list(labels),
        "kernel_headers": [s for s in sources if s.startswith(KERNEL_HEADERS)],
        **_context(graph, made, calls, layers),
    }
    files = {f: render(f"model/{f}.j2", context) for f in ("model.c", "model.h")}
    packed = {i: call.weights for i, (_, call) in enumerate(calls) if call.weights}
    return ModelCode(files, tuple(sources), layers, made, packed)


def _context(
    graph: Graph,
    made: plan.Plan,
    calls: _Calls,
    layers: Sequence[Layer],
) -> dict[str, object]:
    """Return what the templates know of the network itself."""
    return {
        "runtime_version": RUNTIME_VERSION,
        "macs": sum(layer.macs for layer in layers),
        "weight_bytes": sum(layer.constant_bytes for layer in layers),
        "arena_bytes": made.arena_bytes,
        "lower_bound_bytes": made.lower_bound_bytes,
        "input": _end(graph.tensor(graph.inputs[0]), made),
        "output": _end(graph.tensor(graph.outputs[0]), made),
        "layers": [
            _LayerWriter(graph, made, i, op, call).context() for i, (op, call) in enumerate(calls)
        ],
    }


def _check_ends(graph: Graph, where: str) -> None:
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise InputError(
            f"{where}: {len(graph.inputs)} inputs and {len(graph.outputs)} outputs; "
            "the ear engine runs models with one of each"
        )


def _plan(graph: Graph, calls: _Calls, aliases: Mapping[int, int]) -> plan.Plan:
    scratch = {op.index: call.scratch_bytes for op, call in calls}
    return plan.make(graph, aliases=aliases, scratch_bytes=scratch)


def _lower_all(graph: Graph, where: str) -> tuple[_Calls, dict[int, int]]:
    """Return the calls, with raw weights, and what shares memory."""
    calls, aliases = [], {}
    for op in graph.ops:
        made = lower.lower(graph, op, pack=pack_raw)
        if isinstance(made, Alias):
            if graph.tensor(made.source).data is not None:
                raise InputError(
                    f"{where}: operator #{op.index} {op.kind} reads the constant "
                    f'"{graph.tensor(made.source).name}"; fold constants when converting'
                )
            aliases[made.target] = made.source
        else:
            calls.append((op, made))
    if not calls:
        raise InputError(f"{where}: the model computes nothing; give one with layers")
    return calls, aliases


def _pack(graph: Graph, calls: _Calls, made: plan.Plan) -> _Calls:
    """Return the calls with weights in their smallest forms, of those whose code pays for itself.

    A kernel may have what the plan leaves idle during its call as scratch for a block.
    """
    found: dict[int, list[Packed]] = {}
    for op, call in calls:
        if call.weights:
            idle = made.arena_bytes - made.live_bytes(op.index)
            found[op.index] = candidates(
                unpack(call.weights),
                call.weights.layout.channel_axis,
                block_bytes=min(max(idle, BLOCK_BYTES), BLOCK_BYTES_MOST),
            )
    linked = worth_linking(list(found.values()))
    packed = {index: smallest(forms, linked) for index, forms in found.items()}

    def lowered(op: Op, call: KernelCall) -> KernelCall:
        if op.index not in packed:
            return call
        return lower.lower(graph, op, pack=lambda _values, _axis: packed[op.index])

    return [(op, lowered(op, call)) for op, call in calls]


def _layer(graph: Graph, index: int, op: Op, call: KernelCall) -> Layer:
    return Layer(
        index=index,
        op=op.index,
        kind=op.kind,
        kernel=call.kernel,
        tensor=op.outputs[0],
        macs=macs.macs(graph, op),
        constant_bytes=sum(a.bytes for a in call.arrays()),
        packing=call.weights.form if call.weights else None,
        weight_bits=call.weights.bits if call.weights else 0,
        weight_count=call.weights.values if call.weights else 0,
        weight_bytes=call.weights.bytes if call.weights else 0,
    )


def _end(tensor: Tensor, made: plan.Plan) -> dict[str, object]:
    return {
        "bytes": tensor.bytes,
        "type": _C_TYPES[tensor.dtype],
        "offset": made.tensors[tensor.index],
    }


class _LayerWriter:
    """Turns one kernel call into the finished values that the template prints."""

    def __init__(self, graph: Graph, made: plan.Plan, index: int, op: Op, call: KernelCall):
        self.graph, self.plan, self.index, self.op, self.call = graph, made, index, op, call

    def context(self) -> dict[str, object]:
        output = self.graph.tensor(self.op.outputs[0])
        return {
            "index": self.index,
            "comment": self.comment(output),
            "kernel": self.call.kernel,
            "arrays": [self.array(a) for a in self.call.arrays()],
            "structs": [self.struct(s) for s in self.call.structs()],
            "arguments": [self.argument(a) for a in self.call.arguments],
            "output": _end(output, self.plan),
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
                return f"(const {argument.c_type} *const[]){{{items}}}"
            case Scratch(bytes=0):
                return "NULL"
            case Scratch():
                return self.pointer(argument.c_type, self.plan.scratch[self.op.index])
            case Value(value=None):
                return "NULL"
            case Value():
                return cname.integer(argument.value)
        raise TypeError(f"argument {argument!r} of {self.call.kernel}")

    def pointer(self, c_type: str, offset: int) -> str:
        # By way of void *: the arena and every offset are aligned to 16 bytes.
        return f"({c_type} *)(void *)(arena + {offset})"
