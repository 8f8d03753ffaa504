"""Which operations of a graph the `ear` engine cannot run, found before anything is generated."""

from edgeasr.codegen.lower import lower
from edgeasr.errors import InputError
from edgeasr.graph import Graph


def check(graph: Graph) -> tuple[str, ...]:
    """Return one sentence for each operation that cannot be lowered; none means all can.

    Lowering itself is asked, so that what passes here is what code generation takes.
    """
    problems = [
        f'tensor "{tensor.name}": keeps state between inferences; such models are not supported'
        for tensor in graph.tensors
        if tensor.is_variable
    ]
    for op in graph.ops:
        try:
            lower(graph, op)
        except InputError as problem:
            problems.append(str(problem))
    return tuple(problems)
