"""What each layer of a firmware costs: instructions, flash and RAM, from profile, map and plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgeasr.codegen.sources import closure
from edgeasr.graph import Graph
from edgeasr.plan import Plan
from edgeasr.project import Layer


@dataclass(frozen=True)
class LayerCost:
    """One layer. instructions: None where the board's runner cannot count.

    code_bytes: of the kernel's files that no layer before has brought, so that a column adds up.
    weight_bytes, table_bytes: constants. arena_bytes: live while the layer runs, scratch_bytes of
    them the kernel's own. Of the engine tflm, code and arena are not known by layer: None.
    """

    index: int
    op: int
    kind: str
    kernel: str
    macs: int
    instructions: int | None
    code_bytes: int | None
    weight_bytes: int
    table_bytes: int
    arena_bytes: int | None
    scratch_bytes: int | None

    @property
    def instructions_per_mac(self) -> float | None:
        return self.instructions / self.macs if self.macs and self.instructions else None

    def to_dict(self) -> dict[str, object]:
        return vars(self) | {"instructions_per_mac": self.instructions_per_mac}


def costs(
    graph: Graph,
    layers: Sequence[Layer],
    instructions: Sequence[int | None],
    *,
    code: Mapping[str, int] | None = None,
    plan: Plan | None = None,
) -> tuple[LayerCost, ...]:
    """Return what each layer costs. code: bytes by runtime file, and plan: of the engine `ear`."""
    counted: set[str] = set()
    found = []
    for layer, count in zip(layers, instructions, strict=True):
        files = {*closure(f"{layer.kernel}.c")} - counted
        counted |= files
        weights = layer.weight_bytes if layer.packing else _weight_bytes(graph, layer)
        found.append(
            LayerCost(
                index=layer.index,
                op=layer.op,
                kind=layer.kind,
                kernel=layer.kernel,
                macs=layer.macs,
                instructions=count,
                code_bytes=None if code is None else sum(code.get(name, 0) for name in files),
                weight_bytes=weights,
                table_bytes=layer.constant_bytes - weights,
                arena_bytes=plan.live_bytes(layer.op) if plan else None,
                scratch_bytes=_scratch_bytes(plan, layer.op) if plan else None,
            )
        )
    return tuple(found)


def _weight_bytes(graph: Graph, layer: Layer) -> int:
    """Return the bytes of the constant that a layer multiplies by; 0 where it has none."""
    inputs = graph.ops[layer.op].inputs
    if not layer.macs or len(inputs) < 2 or graph.tensor(inputs[1]).data is None:
        return 0
    return min(graph.tensor(inputs[1]).bytes, layer.constant_bytes)


def _scratch_bytes(plan: Plan, op: int) -> int:
    placed = (p.buffer for p in plan.placed)
    return sum(b.aligned_bytes for b in placed if b.scratch and b.first == op)
