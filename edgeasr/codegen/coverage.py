"""Which operations of a graph the `ear` engine cannot run, found before anything is generated."""

from collections.abc import Iterator

from edgeasr.codegen.lower import lower, supported
from edgeasr.codegen.lower.view import named
from edgeasr.codegen.operations import reason
from edgeasr.codegen.packing import pack_raw
from edgeasr.errors import InputError
from edgeasr.graph import Graph, Op


def check(graph: Graph) -> tuple[str, ...]:
    """Return one sentence for each thing that cannot be lowered; none means that all can.

    Operations of a kind without a kernel share one sentence, and so do several on floats. Of the
    others lowering itself is asked, so that what passes here is what code generation takes.
    """
    known = set(supported())
    unknown: dict[str, list[Op]] = {}
    problems: dict[int, str] = {}  # by place of the operation
    for op in graph.ops:
        if op.kind not in known:
            unknown.setdefault(op.kind, []).append(op)
            continue
        try:
            lower(graph, op, pack=pack_raw)
        except InputError as problem:
            problems[op.index] = str(problem)
    floats = [op for op in graph.ops if op.index in problems and _is_float(graph, op)]
    shared = ()
    if sum(op.kind != "DEQUANTIZE" for op in floats) > 1:
        for op in floats:
            del problems[op.index]
        shared = (_on_floats(floats),)
    # What is wrong with a variable is found at each of its uses.
    return (*_unsupported(graph, unknown), *dict.fromkeys(problems.values()), *shared)


def _is_float(graph: Graph, op: Op) -> bool:
    places = (i for i in (*op.inputs, *op.outputs) if 0 <= i < len(graph.tensors))
    return any(graph.tensor(i).dtype.startswith("float") for i in places)


def _on_floats(ops: list[Op]) -> str:
    # DEQUANTIZE unpacks weights that are stored in fewer bits than they are computed with.
    computing = [op for op in ops if op.kind != "DEQUANTIZE"]
    first = computing[0]
    return (
        f"operator #{first.index} {first.kind} and {len(computing) - 1} more compute on floats; "
        "quantize the model to int8 or int16 activations first"
    )


def _unsupported(graph: Graph, unknown: dict[str, list[Op]]) -> Iterator[str]:
    for kind, ops in unknown.items():
        first = ops[0]
        others = f" and {len(ops) - 1} more" if len(ops) > 1 else ""
        # The tensor that tells most: the first result, or what is read where there is none.
        for index in (*first.outputs, *first.inputs):
            if 0 <= index < len(graph.tensors):
                tensor = graph.tensor(index)
                others += f": not supported, at {named(tensor)} ({tensor.dtype})"
                break
        else:
            others += ": not supported"
        why = reason(kind)
        yield f"operator #{first.index} {kind}{others}{f'; {why}' if why else ''}"
    if unknown:
        yield f"supported operators: {', '.join(supported())}"
