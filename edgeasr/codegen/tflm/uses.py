"""Every operator of a model, in all its subgraphs: what TFLite-Micro's resolver must know.

The interpreter prepares the operators of the subgraphs that CALL_ONCE, IF and WHILE name too.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from edgeasr.graph import Graph, Op


@dataclass(frozen=True)
class Use:
    """One operator: its kind, and the types of its inputs and outputs, "" for one left out."""

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def uses(graph: Graph) -> Iterator[Use]:
    """Yield the operators of the graph and of its other subgraphs, as often as they occur."""
    for each, op in _operators(graph):
        yield Use(
            op.kind,
            tuple(each.tensor(i).dtype if i >= 0 else "" for i in op.inputs),
            tuple(each.tensor(i).dtype for i in op.outputs),
        )


def variable_count(graph: Graph) -> int:
    """Return how many resource variables the model names: room for which the interpreter needs."""
    handles = (op.options for _, op in _operators(graph) if op.kind == "VAR_HANDLE")
    return len({(options.get("container"), options.get("shared_name")) for options in handles})


def _operators(graph: Graph) -> Iterator[tuple[Graph, Op]]:
    for each in (graph, *graph.subgraphs):
        for op in each.ops:
            yield each, op
