"""Weights to the smallest lossless form that their values allow, and back.

A quantizer leaves int8 values on some small grid; nothing else is known of it here. Nothing is
refused: what fits no form stays raw.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from edgeasr.codegen.packing import even, runs, tables
from edgeasr.codegen.packing.layout import BLOCK_BYTES, BLOCK_BYTES_MOST, Layout
from edgeasr.codegen.packing.linking import functions, smallest, worth_linking
from edgeasr.codegen.packing.packed import Packed

__all__ = [
    "BLOCK_BYTES",
    "BLOCK_BYTES_MOST",
    "FORMS",
    "Layout",
    "Packed",
    "candidates",
    "functions",
    "pack",
    "pack_raw",
    "smallest",
    "unpack",
    "worth_linking",
]

# Form -> how to pack and how to unpack, in the order of the work of unpacking, least first.
FORMS: Mapping[
    str,
    tuple[
        Callable[[np.ndarray, Layout], Iterator[Packed]],
        Callable[[Packed], list[np.ndarray]],
    ],
] = {
    "raw": (even.raw, even.unpack_raw),
    "uniform": (even.uniform, even.unpack_uniform),
    "ternary": (even.ternary, even.unpack_ternary),
    "exponent": (even.exponent, even.unpack_exponent),
    "table": (tables.table, tables.unpack_table),
    "runs": (runs.runs, runs.unpack_runs),
}


def candidates(
    values: np.ndarray, channel_axis: int, *, block_bytes: int = BLOCK_BYTES
) -> list[Packed]:
    """Return every form that the values, int8 of any shape, allow: smallest first.

    channel_axis: that of the output channels, first or (for depthwise filters) last. block_bytes:
    scratch that a kernel may have. Of equal sizes the one that unpacks fastest comes first.
    """
    layout = Layout.of(values.shape, channel_axis, block_bytes)
    found = [packed for make, _ in FORMS.values() for packed in make(values, layout)]
    return sorted(found, key=lambda packed: packed.bytes)


def pack(values: np.ndarray, channel_axis: int) -> Packed:
    """Return the smallest of candidates()."""
    return candidates(values, channel_axis)[0]


def pack_raw(values: np.ndarray, channel_axis: int) -> Packed:
    """Return the values as they are, in the form of a Packed."""
    (packed,) = even.raw(values, Layout.of(values.shape, channel_axis))
    return packed


def unpack(packed: Packed) -> np.ndarray:
    """Return the values, int8 in their first shape."""
    _, units_of = FORMS[packed.form]
    return packed.layout.join(units_of(packed))
