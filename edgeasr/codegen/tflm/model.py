"""A model to the C++ that has TFLite-Micro run it: the file as an array, a resolver, an arena."""

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edgeasr import paths
from edgeasr.codegen import cname, layers, macs, tflm_arena
from edgeasr.codegen.environment import render
from edgeasr.codegen.model import banner
from edgeasr.codegen.runtime import RUNTIME_VERSION
from edgeasr.codegen.sources import closure
from edgeasr.codegen.tflm import resolver, uses
from edgeasr.errors import InputError
from edgeasr.graph import Graph, Op, Tensor, reset_restarts, resource_variables
from edgeasr.project import Layer

_RENDERED = ("model.cpp", "model.h", "model_data.c")
_COPIED = ("ear_tflm.h", "ear_tflm_resolver.h")
_BARE = ("ear_tflm_bare.cpp",)
_WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


@dataclass(frozen=True, eq=False)
class TflmCode:
    """The counterpart of codegen.model.ModelCode, of which it has what `deploy` takes.

    arena: bytes, and what they are for. state_bytes: part of the arena that lasts from one
    inference to the next; constant_bytes: the `.tflite` file.
    """

    files: Mapping[str, str]
    sources: tuple[str, ...]
    layers: tuple[Layer, ...]
    arena: tflm_arena.Arena
    state_bytes: int
    constant_bytes: int

    @property
    def arena_bytes(self) -> int:
        return self.arena.bytes

    @property
    def ram_bytes(self) -> int:
        return self.arena.bytes


def generate(
    graph: Graph,
    *,
    name: str,
    labels: Sequence[str],
    content: bytes,
    board: str,
    where: str,
    target: tflm_arena.Target,
    hosted: bool,
) -> TflmCode:
    """Generate the model's C++. content: bytes of the `.tflite`, which the firmware carries.

    target: the build of the library. hosted: above an operating system.

    Raises InputError when TFLite-Micro has no kernel for an operator, or the model has several
    inputs or outputs.
    """
    operators = check(graph, where)
    shown = _shown(graph)
    arena = tflm_arena.predict(graph, content, target)
    context = {
        "banner": banner(name, content, board),
        "name": name,
        "labels": list(labels),
        "arena": arena,
        "data": np.frombuffer(content, np.uint8),
        "data_crc": f"0x{zlib.crc32(content):08x}u",
        "hash": [f"0x{b:02x}" for b in hashlib.sha256(content).digest()[:8]],
        **_context(graph, operators, shown),
    }
    folder = paths.firmware_templates() / "model" / "tflm"
    files = {f: render(f"model/tflm/{f}.j2", context) for f in _RENDERED}
    files |= {f: (folder / f).read_text() for f in (*_COPIED, *(() if hosted else _BARE))}
    return TflmCode(
        files=files,
        sources=closure("ear_frames.h"),
        layers=tuple(_layer(graph, i, op, operators) for i, op in enumerate(shown)),
        arena=arena,
        state_bytes=_state_bytes(graph),
        constant_bytes=len(content),
    )


def _context(graph: Graph, operators: resolver.Operators, shown: Sequence[Op]) -> dict[str, object]:
    """Return what the templates know of the network itself."""
    variables = uses.variable_count(graph)
    return {
        "runtime_version": RUNTIME_VERSION,
        "operators": operators,
        "headers": _headers(operators, bool(variables)),
        "resource_variables": variables,
        "reset": _reset(graph),
        "state_bytes": _state_bytes(graph),
        "input": _end(graph.tensor(graph.inputs[0])),
        "output": _end(graph.tensor(graph.outputs[0])),
        "layers": [_layer_context(graph, op) for op in shown],
        "layer_of_operator": _layer_of_operator(shown, len(graph.ops)),
        "tensor_of_layer": np.array([layers.result(graph, op).index for op in shown]),
    }


def check(graph: Graph, where: str) -> resolver.Operators:
    """Return what the resolver must know of a graph; raises InputError as `generate` does."""
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise InputError(
            f"{where}: {len(graph.inputs)} inputs and {len(graph.outputs)} outputs; "
            "the tflm engine runs models with one of each"
        )
    for index in (*graph.inputs, *graph.outputs):
        tensor = graph.tensor(index)
        if tensor.dtype not in layers.C_TYPES:
            raise InputError(
                f'{where}: tensor "{tensor.name}" is {tensor.dtype}; the tflm engine hands out '
                f"{', '.join(layers.C_TYPES)}"
            )
    if not _shown(graph):
        raise InputError(f"{where}: the model computes nothing; give one with layers")
    _refuse_hybrids(graph, where)
    return resolver.choose(uses.uses(graph), where)


def _refuse_hybrids(graph: Graph, where: str) -> None:
    """Refuse weights of integers under activations of floats: TFLite-Micro has no such kernels."""
    for op in graph.ops:
        if op.kind not in _WEIGHTED or len(op.inputs) < 2 or min(op.inputs[:2]) < 0:
            continue
        values, weights = (graph.tensor(i) for i in op.inputs[:2])
        if values.dtype == "float32" and weights.dtype in ("int8", "int4"):
            raise InputError(
                f'{where}: operator #{op.index} {op.kind} has {weights.dtype} weights "'
                f'{weights.name}" and computes in float32, which TFLite-Micro refuses; quantize '
                "the model with 'edgeasr quantize --activations int8' or int16"
            )


def _headers(operators: resolver.Operators, variables: bool) -> list[str]:
    micro = "tensorflow/lite/micro"
    names = {f"{micro}/micro_interpreter.h", "tensorflow/lite/schema/schema_generated.h"}
    if variables:
        names |= {f"{micro}/micro_allocator.h", f"{micro}/micro_resource_variable.h"}
    return sorted(names.union(operators.headers))


def _shown(graph: Graph) -> list[Op]:
    """Return the operators that make a tensor, or assign one, that the host may look at."""
    return [
        op
        for op in graph.ops
        if (op.outputs or op.inputs) and layers.result(graph, op).dtype in layers.C_TYPES
    ]


def _end(tensor: Tensor) -> dict[str, object]:
    return {"bytes": tensor.bytes, "type": layers.C_TYPES[tensor.dtype]}


def _layer_context(graph: Graph, op: Op) -> dict[str, object]:
    tensor = layers.result(graph, op)
    return {
        **_end(tensor),
        "comment": cname.comment(f"#{op.index} {op.kind} {list(tensor.shape)}, {tensor.name}"),
    }


def _layer_of_operator(shown: Sequence[Op], count: int) -> np.ndarray:
    """Return the layer that each operator of the main subgraph is, -1 for those that are none."""
    table = np.full(max(count, 1), -1, np.int16)
    table[[op.index for op in shown]] = np.arange(len(shown))
    return table


def _layer(graph: Graph, index: int, op: Op, operators: resolver.Operators) -> Layer:
    constants = [graph.tensor(i) for i in op.inputs if i >= 0 and graph.tensor(i).data is not None]
    return Layer(
        index=index,
        op=op.index,
        kind=op.kind,
        kernel=operators.registrations[op.kind],
        tensor=layers.result(graph, op).index,
        macs=macs.macs(graph, op),
        constant_bytes=sum(tensor.bytes for tensor in constants),
    )


def _reset(graph: Graph) -> str:
    """Return how the interpreter gets to its start: `none`, `clear` (it can), or `anew`."""
    if not graph.stateful:
        return "none"
    return "clear" if reset_restarts(graph) else "anew"


def _state_bytes(graph: Graph) -> int:
    """Return the bytes of variables; at least 1 for a model whose operators keep state."""
    try:
        variables = {v.name: v.initial.size for v in resource_variables(graph).values()}
    except InputError:  # their start is not known, which the interpreter takes
        variables = {}
    kept = sum(variables.values()) + sum(t.bytes for t in graph.tensors if t.is_variable)
    return max(kept, int(graph.stateful))
