"""The arena that TFLite-Micro needs for a model: to the byte, with no compiler and no library.

An account of every allocation that the interpreter makes, with the struct sizes and the kernels of
the build. For the build on PyPI it equals what bisecting with that interpreter finds; with the
structs of a 32-bit core and the scratch of CMSIS-NN it is the size on that core.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from edgeasr.codegen.tflm_arena.abi import align_up
from edgeasr.codegen.tflm_arena.account import ALIGNMENT, Account
from edgeasr.codegen.tflm_arena.contents import Contents, read
from edgeasr.codegen.tflm_arena.kernels import Kernel, Node, Request, ends
from edgeasr.codegen.tflm_arena.variants import HOST, PYPI, Target, cortex_m, kernel_table
from edgeasr.graph import Graph

__all__ = ["HOST", "PYPI", "Arena", "Target", "cortex_m", "predict"]

# For an operator that no table lists: more than any of those that one lists, but for tables.
_UNKNOWN_OPTIONS = "32i"
_UNKNOWN_DATA = "128i"


@dataclass(frozen=True)
class Arena:
    """bytes: to give the interpreter, at an address that is a multiple of 16.

    margin_bytes: part of `bytes` that is kept for what is not known: whether the library is of
    before or after August 2026, and operators in `unknown`, whose kernels no table lists. The
    interpreter runs with bytes - margin_bytes of the older library when `unknown` is empty.
    checked_bytes: from here on the interpreter reports no error; below `bytes` it may have put
    kernels' data over structs that it still reads, which it does not check.
    parts: bytes by what they are for; they overlap in time, so that their sum may be larger.
    """

    bytes: int
    margin_bytes: int
    checked_bytes: int
    parts: Mapping[str, int]
    unknown: tuple[str, ...] = ()


def predict(graph: Graph, content: bytes, target: Target = HOST) -> Arena:
    """Return the arena that a build of TFLite-Micro needs for a model.

    content: the `.tflite` that `graph` was parsed from. Raises InputError for a damaged
    file, and for operators whose tensors are not those that their kernels take.
    """
    contents = read(graph, content)
    table = kernel_table(target)
    kinds = {op.kind for subgraph in contents.subgraphs for op in subgraph.operators}
    unknown = tuple(sorted(kinds - set(table)))
    largest = _run(contents, target, {**table, **dict.fromkeys(unknown, _unknown_kernel())})
    least = _run(
        contents,
        replace(target, quant_spec=False),
        {**kernel_table(replace(target, quant_spec=False)), **dict.fromkeys(unknown, Kernel())},
    )
    needed = align_up(largest.need, ALIGNMENT)
    return Arena(
        bytes=needed,
        margin_bytes=needed - align_up(least.need, ALIGNMENT),
        checked_bytes=align_up(largest.checked, ALIGNMENT),
        parts=dict(largest.parts),
        unknown=tuple(sorted({*unknown, *largest.guessed})),
    )


def _unknown_kernel() -> Kernel:
    def prepare(node: Node) -> Iterator[Request]:
        yield from ends(node)
        yield from ends(node)

    return Kernel(_UNKNOWN_OPTIONS, _UNKNOWN_DATA, prepare)


def _run(contents: Contents, target: Target, table: Mapping[str, Kernel]) -> Account:
    account = Account(contents, target, table)
    account.run()
    return account
