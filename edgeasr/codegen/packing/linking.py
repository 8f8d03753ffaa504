"""Which unpackers are worth their code: a few bytes saved on one tensor do not pay for a loop."""

from collections.abc import Collection, Mapping, Sequence

from edgeasr.codegen.packing.packed import Packed

# Bytes of code of each unpacker on a Cortex-M4 at -O2; tests/verify compares them.
CODE_BYTES: Mapping[str, int] = {
    "ear_weights_uniform1": 252, "ear_weights_uniform2": 180, "ear_weights_uniform3": 396,
    "ear_weights_uniform4": 120, "ear_weights_uniform5": 372, "ear_weights_uniform6": 272,
    "ear_weights_ternary": 148, "ear_weights_exponent2": 504, "ear_weights_exponent3": 872,
    "ear_weights_exponent4": 340, "ear_weights_table1": 540, "ear_weights_table2": 292,
    "ear_weights_table3": 596, "ear_weights_table4": 204, "ear_weights_table5": 604,
    "ear_weights_table6": 436, "ear_weights_runs": 88, "ear_weights_runs8": 52,
}  # fmt: skip


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
    return weights + sum(CODE_BYTES[one] for one in linked)
