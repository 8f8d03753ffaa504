"""What a model keeps between inferences: where it comes from, and what it holds after a reset."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from edgeasr.codegen.call import C_DTYPES, KernelCall, State
from edgeasr.codegen.windows import Home
from edgeasr.graph import Graph, Op, Tensor
from edgeasr.plan import Kept, Plan


@dataclass(frozen=True, eq=False)
class Region:
    """State under a unique name. initial: uint8, as in memory; tensors: as in plan.Kept."""

    name: str
    initial: np.ndarray
    tensors: Mapping[int, int] = field(default_factory=dict)

    @property
    def kept(self) -> Kept:
        return Kept(self.name, self.initial.size, self.tensors)

    @property
    def fill(self) -> int | None:
        """The value that all bytes have; None where they differ."""
        first = int(self.initial[0])
        return first if (self.initial == first).all() else None


def regions(
    graph: Graph, calls: Iterable[tuple[Op, KernelCall]], homes: Mapping[str, Home]
) -> tuple[Region, ...]:
    """Return all state of a graph: variables, variable tensors, memory of the layers' own.

    homes: of the resource variables, by their names.
    """
    variables = (Region(f"variable {n}", home.initial, home.tensors) for n, home in homes.items())
    return (*variables, *_variable_tensors(graph), *_own(calls))


def layer_name(op: Op, state: State) -> str:
    """Return the name of the region of a layer's own state."""
    return f"{state.name} of #{op.index} {op.kind}"


def _variable_tensors(graph: Graph) -> Iterable[Region]:
    for tensor in graph.tensors:
        if tensor.is_variable and tensor.bytes:
            yield Region(
                f"tensor #{tensor.index} {tensor.name}", _cleared(tensor), {tensor.index: 0}
            )


def _cleared(tensor: Tensor) -> np.ndarray:
    """Return the bytes that TFLite-Micro gives a variable tensor: int8 its zero point, others 0."""
    zero = tensor.quantization.zero_point if tensor.quantization else 0
    return np.full(tensor.bytes, zero & 0xFF if tensor.dtype == "int8" else 0, np.uint8)


def _own(calls: Iterable[tuple[Op, KernelCall]]) -> Iterable[Region]:
    for op, call in calls:
        for state in call.states():
            values = np.ascontiguousarray(state.values, np.dtype(C_DTYPES[state.c_type]))
            yield Region(layer_name(op, state), values.ravel().view(np.uint8))


def reset_bytes(found: Sequence[Region]) -> int:
    """Return the bytes of the constant tables that a reset copies."""
    return sum(region.initial.size for region in found if region.fill is None)


def resets(found: Sequence[Region], made: Plan) -> list[dict[str, object]]:
    """Return what a reset does, in order: fill `bytes` at `offset`, or copy a table there.

    Neighbours with one fill are filled at once, with the padding between them.
    """
    steps: list[dict[str, object]] = []
    for region, placed in zip(found, made.state, strict=True):
        step = {"offset": placed.offset, "bytes": region.initial.size, "fill": region.fill}
        last = steps[-1] if steps else None
        if last and region.fill is not None and last["fill"] == region.fill:
            last["bytes"] = placed.offset + region.initial.size - last["offset"]
        else:
            table = None if region.fill is not None else region.initial
            steps.append(step | {"table": table, "name": f"start_{len(steps)}"})
    return steps
