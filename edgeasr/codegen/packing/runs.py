"""Zero runs: how many zeros, then a value; for weights that are mostly 0.

A token of `bits` below 8 is one byte: the run above, an index to a table of values below. With 8
bits it is two, run and value. Data begins with the place of each unit in bytes, as a word each.
"""

from collections.abc import Iterator

import numpy as np

from edgeasr.codegen.packing.layout import Layout
from edgeasr.codegen.packing.packed import Packed

# Indices of fewer bits leave longer runs; of more, only short ones.
BITS = (2, 3, 4, 5, 8)
# Below this share of zeros the other forms are always smaller.
_ZEROS_LEAST = 0.3


def runs(values: np.ndarray, layout: Layout) -> Iterator[Packed]:
    if np.mean(values == 0) < _ZEROS_LEAST:
        return
    found = np.unique(values)
    table = np.concatenate([[0], found[found != 0]]).astype(np.int8)
    for bits in BITS:
        if bits == 8 or len(table) <= 1 << bits:
            yield _packed(values, layout, bits, table)


def unpack_runs(packed: Packed) -> list[np.ndarray]:
    content = packed.data.tobytes()
    units = []
    for number, count in enumerate(packed.unit_counts()):
        at, position = int(packed.data[number]), 0
        unit = np.zeros(count, np.int8)
        while position < count:
            run, value, at = _token(content, at, packed)
            position += run
            if position < count:
                unit[position] = value
            position += 1
        units.append(unit)
    return units


def _token(content: bytes, at: int, packed: Packed) -> tuple[int, int, int]:
    """Return run and value of the token at `at`, and where the next begins."""
    if packed.bits == 8:
        return content[at], int(np.uint8(content[at + 1]).astype(np.int8)), at + 2
    index = content[at] & ((1 << packed.bits) - 1)
    return content[at] >> packed.bits, int(packed.tables[0, index]), at + 1


def _packed(values: np.ndarray, layout: Layout, bits: int, table: np.ndarray) -> Packed:
    units = [_tokens(unit, bits, table) for unit in layout.split(values, layout.block)]
    lengths = [4 * len(units), *map(len, units)]
    places = np.cumsum(lengths)[:-1].astype(np.uint32)
    content = places.tobytes() + b"".join(units)
    data = np.frombuffer(content + bytes(-len(content) % 4), np.uint32)
    tables = np.zeros((0, 0), np.int8) if bits == 8 else table[np.newaxis]
    return Packed(
        "runs", bits, layout, data, block=layout.block, unit=layout.block, tables=tables,
        table_units=len(units), step=bits,
    )  # fmt: skip


def _tokens(unit: np.ndarray, bits: int, table: np.ndarray) -> bytes:
    """Return the tokens of a unit: of each value but 0, and of the runs that one cannot hold."""
    longest = 255 if bits == 8 else (1 << (8 - bits)) - 1
    places = np.flatnonzero(unit)
    zeros = np.diff(places, prepend=-1) - 1
    behind = len(unit) - 1 - (int(places[-1]) if len(places) else -1)
    # A token of the longest run also stands for the zero behind it.
    full, rest = np.divmod(zeros, longest + 1)
    ends = np.cumsum(full + 1) - 1
    count = int((full + 1).sum()) + -(-behind // (longest + 1))
    lengths, values = np.full(count, longest), np.zeros(count, np.int64)
    lengths[ends], values[ends] = rest, unit[places]
    if bits == 8:
        return np.stack([lengths, values & 255], axis=1).astype(np.uint8).tobytes()
    index = np.zeros(256, np.int64)
    index[table.astype(np.int64)] = np.arange(len(table))
    return (lengths << bits | index[values]).astype(np.uint8).tobytes()
