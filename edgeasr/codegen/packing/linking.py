"""Which unpackers are worth their code: a few bytes saved on one tensor do not pay for a loop."""

from collections.abc import Collection, Mapping, Sequence

from edgeasr.codegen.packing.packed import Packed

# Bytes of code of each unpacker on a Cortex-M4 at -O2; tests/verify compares them.
CODE_BYTES: Mapping[str, int] = {
    "ear_weights_uniform1": 296, "ear_weights_uniform2": 196, "ear_weights_uniform3": 408,
    "ear_weights_uniform4": 132, "ear_weights_uniform5": 388, "ear_weights_uniform6": 236,
    "ear_weights_ternary": 292, "ear_weights_exponent3": 120,
    "ear_weights_exponent4": 120, "ear_weights_table1": 456, "ear_weights_table2": 252,
    "ear_weights_table3": 560, "ear_weights_table4": 164, "ear_weights_table5": 560,
    "ear_weights_table6": 324, "ear_weights_runs": 88, "ear_weights_runs8": 60,
}  # fmt: skip


def functions(unpacker: str) -> tuple[str, ...]:
    """Return the C functions behind an unpacker, each in a file of its name: itself first."""
    table = unpacker.replace("exponent", "table")
    return (unpacker,) if table == unpacker else (unpacker, table)


def smallest(candidates: Sequence[Packed], linked: Collection[str]) -> Packed:
    """Return the first of the candidates, smallest first, that is raw or has a linked unpacker."""
    return next(c for c in candidates if c.unpacker is None or c.unpacker in linked)


def worth_linking(tensors: Sequence[Sequence[Packed]]) -> frozenset[str]:
    """Return the unpackers to link for the candidates of each tensor of a model.

    Beginning with all, the one whose loss costs least goes, as long as flash becomes smaller:
    weights, tables and code.
    """
    linked = frozenset(c.unpacker for found in tensors for c in found if c.unpacker)
    bytes_now = _flash_bytes(tensors, linked)
    while linked:
        least = min(sorted(linked), key=lambda one: _flash_bytes(tensors, linked - {one}))
        bytes_then = _flash_bytes(tensors, linked - {least})
        if bytes_then > bytes_now:
            break
        linked, bytes_now = linked - {least}, bytes_then
    return linked


def _flash_bytes(tensors: Sequence[Sequence[Packed]], linked: frozenset[str]) -> int:
    weights = sum(smallest(found, linked).bytes for found in tensors)
    return weights + sum(CODE_BYTES[one] for one in {f for u in linked for f in functions(u)})
