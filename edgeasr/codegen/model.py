"""A speech model to `model.c` and `model.h` of the `ear` engine: tables, a call list, an arena."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgeasr import __version__, plan
from edgeasr.codegen import cname, coverage, extensions, layers, lower, persistent, windows
from edgeasr.codegen.call import KERNEL_HEADERS, Alias, KernelCall
from edgeasr.codegen.environment import render
from edgeasr.codegen.lower.view import named
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
from edgeasr.graph import Graph, Op
from edgeasr.project import Layer
from edgeasr.units import format_bytes

_Calls = list[tuple[Op, KernelCall]]
_MAX_CONSTANT_BYTES = 1 << 25
PACKINGS = ("smallest", "raw")


@dataclass(frozen=True, eq=False)
class ModelCode:
    """The engine's generated C and what is known of it before any compiler has run.

    files: text by file name. sources: the runtime files that it needs. packed: weights by layer.
    reset_bytes: constants from which a reset restores the model's state.
    """

    files: Mapping[str, str]
    sources: tuple[str, ...]
    layers: tuple[Layer, ...]
    plan: plan.Plan
    packed: Mapping[int, Packed]
    reset_bytes: int = 0

    @property
    def constant_bytes(self) -> int:
        return sum(layer.constant_bytes for layer in self.layers) + self.reset_bytes

    @property
    def arena_bytes(self) -> int:
        return self.plan.arena_bytes

    @property
    def ram_bytes(self) -> int:
        """All RAM of the model: the arena and what lasts."""
        return self.plan.ram_bytes

    @property
    def state_bytes(self) -> int:
        """RAM that lasts from one inference to the next, beside the arena; 0 without state."""
        return self.plan.state_bytes


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
    extension: str = extensions.NONE,
) -> ModelCode:
    """Generate the model's C. content: bytes of the `.tflite`, whose hash the firmware carries.

    packing: of weights, one of PACKINGS: the smallest form that their values allow, or raw int8.
    extension: of the core whose kernels are called, one of extensions.EXTENSIONS.

    Raises InputError naming operation, tensor and type when the engine cannot run the graph.
    """
    problems = coverage.check(graph)
    if problems:
        raise InputError(
            f"{where}: the ear engine cannot run this model:\n  " + "\n  ".join(problems)
        )
    _check_ends(graph, where)
    _check_constants(graph, where)
    calls, aliases, homes = _lower_all(graph, where, extension)
    kept = persistent.regions(graph, calls, homes)
    made = _plan(graph, calls, aliases, kept)
    if packing != "raw":
        calls = _pack(graph, calls, made, extension)
        made = _plan(graph, calls, aliases, kept)
    described = tuple(layers.describe(graph, i, op, call) for i, (op, call) in enumerate(calls))
    sources = sorted({s for _, call in calls for s in call.sources})
    context = {
        "banner": banner(name, content, board),
        "name": name,
        "hash": [f"0x{b:02x}" for b in hashlib.sha256(content).digest()[:8]],
        "labels": list(labels),
        "kernel_headers": [s for s in sources if s.startswith(KERNEL_HEADERS)],
        "resets": persistent.resets(kept, made),
        **_context(graph, made, calls, described),
    }
    files = {f: render(f"model/{f}.j2", context) for f in ("model.c", "model.h")}
    packed = {i: call.weights for i, (_, call) in enumerate(calls) if call.weights}
    reset_bytes = persistent.reset_bytes(kept)
    return ModelCode(files, tuple(sources), described, made, packed, reset_bytes)


def _context(
    graph: Graph,
    made: plan.Plan,
    calls: _Calls,
    described: Sequence[Layer],
) -> dict[str, object]:
    """Return what the templates know of the network itself."""
    (source,), (target,) = graph.inputs, graph.outputs
    return {
        "runtime_version": RUNTIME_VERSION,
        "macs": sum(layer.macs for layer in described),
        "weight_bytes": sum(layer.constant_bytes for layer in described),
        "arena_bytes": made.arena_bytes,
        "state_bytes": made.state_bytes,
        "lower_bound_bytes": made.lower_bound_bytes,
        "input": layers.end(graph.tensor(source), made.tensors[source]),
        "output": layers.end(graph.tensor(target), made.tensors[target]),
        "layers": [
            layers.LayerWriter(graph, made, i, op, call).context()
            for i, (op, call) in enumerate(calls)
        ],
    }


def _check_ends(graph: Graph, where: str) -> None:
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise InputError(
            f"{where}: {len(graph.inputs)} inputs and {len(graph.outputs)} outputs; "
            "the ear engine runs models with one of each"
        )
    for side, index in (("input", graph.inputs[0]), ("output", graph.outputs[0])):
        tensor = graph.tensor(index)
        if tensor.dtype not in layers.C_TYPES or not tensor.elements:
            raise InputError(
                f"{where}: {side} {named(tensor)} is {tensor.dtype} {list(tensor.shape)}; it needs "
                f"elements of a type of {', '.join(layers.C_TYPES)}"
            )


def _check_constants(graph: Graph, where: str) -> None:
    """Refuse what would be a huge source file: each operation has constants of its own there."""
    found = (graph.tensor(index) for op in graph.ops for index in op.inputs if index >= 0)
    total = sum(tensor.bytes for tensor in found if tensor.data is not None)
    if total > _MAX_CONSTANT_BYTES:
        raise InputError(
            f"{where}: the operations use {format_bytes(total)} of constants; at most "
            f"{format_bytes(_MAX_CONSTANT_BYTES)} are made into C; give a smaller model"
        )


def _plan(
    graph: Graph,
    calls: _Calls,
    aliases: Mapping[int, int],
    kept: Sequence[persistent.Region],
) -> plan.Plan:
    scratch = {op.index: call.scratch_bytes for op, call in calls}
    overwrites = {op.index: call.overwrites for op, call in calls if call.overwrites is not None}
    return plan.make(
        graph,
        aliases=aliases,
        overwrites=overwrites,
        ahead={op.index: call.ahead for op, call in calls},
        scratch_bytes=scratch,
        kept=[region.kept for region in kept],
    )


def _lower_all(
    graph: Graph, where: str, extension: str
) -> tuple[_Calls, dict[int, int], dict[str, windows.Home]]:
    """Return the calls, with raw weights, what shares memory, and the memory of variables."""
    calls, aliases = [], {}
    lowered = {
        op.index: lower.lower(graph, op, pack=pack_raw, extension=extension) for op in graph.ops
    }
    settled, homes = windows.settle(graph, lowered)
    for op in graph.ops:
        made = settled[op.index]
        if isinstance(made, Alias):
            if graph.tensor(made.source).data is not None:
                raise InputError(
                    f"{where}: operator #{op.index} {op.kind} reads the constant "
                    f'"{graph.tensor(made.source).name}"; fold constants when converting'
                )
            aliases[made.target] = made.source
        elif isinstance(made, KernelCall):
            calls.append((op, made))
    if not calls:
        raise InputError(f"{where}: the model computes nothing; give one with layers")
    return calls, aliases, homes


def _pack(graph: Graph, calls: _Calls, made: plan.Plan, extension: str) -> _Calls:
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
        chosen = packed[op.index]
        return lower.lower(graph, op, pack=lambda _values, _axis: chosen, extension=extension)

    return [(op, lowered(op, call)) for op, call in calls]
