"""Index and table: a table for the tensor, or for each group of adjacent output channels."""

import math
from collections.abc import Iterator

import numpy as np

from edgeasr.codegen.packing import codes
from edgeasr.codegen.packing.layout import Layout
from edgeasr.codegen.packing.packed import Packed, joined

_BITS_MOST = max(codes.PARTS)


def table(values: np.ndarray, layout: Layout) -> Iterator[Packed]:
    """For each width of index that will do, the smallest of all ways to share tables."""
    used = _used(values, layout)
    best: dict[int, tuple[int, int, int]] = {}
    for group in _groups(layout):
        entries = _most_entries(used, group)
        bits = max((entries - 1).bit_length(), 1)
        if bits > _BITS_MOST:
            continue
        size = _bytes(layout, group, bits, entries)
        if bits not in best or size < best[bits][0]:
            best[bits] = (size, group, entries)
    for bits, (_, group, entries) in sorted(best.items()):
        yield from _packed(values, layout, used, bits, group, entries)


def unpack_table(packed: Packed) -> list[np.ndarray]:
    return [
        packed.tables[number // packed.table_units][codes.from_words(words, packed.bits, count)]
        for number, (words, count) in enumerate(packed.units())
    ]


def _used(values: np.ndarray, layout: Layout) -> np.ndarray:
    """Return which of the 256 values each channel has: bool [channels, 256], from -128 on."""
    used = np.zeros((layout.channels, 256), bool)
    for channel, found in enumerate(layout.split(values, 1)):
        used[channel, found.astype(np.int64) + 128] = True
    return used


def _groups(layout: Layout) -> list[int]:
    """Return how many channels may share a table: all, or fewer, the larger first.

    Channels of a depthwise unit lie side by side, and its kernel takes four at a time.
    """
    few = range(1, min(17, layout.channels))
    fours = range(4, layout.channels, 4)
    chosen = set(fours) if layout.interleaved else {*few, *fours}
    return [layout.channels, *sorted(chosen, reverse=True)]


def _most_entries(used: np.ndarray, group: int) -> int:
    starts = np.arange(0, len(used), group)
    return int(np.logical_or.reduceat(used, starts).sum(axis=1).max())


def _unit(layout: Layout, group: int) -> tuple[int, int]:
    """Return the channels of a block and of a unit that lies within one group."""
    if group == layout.channels:
        return layout.block, layout.block
    if layout.interleaved:
        unit = math.gcd(group, layout.block) if group >= layout.block else group
        unit = unit if unit % 4 == 0 else 4
        return unit, unit
    return layout.block, math.gcd(group, layout.block)


def _bytes(layout: Layout, group: int, bits: int, entries: int) -> int:
    _, unit = _unit(layout, group)
    whole, rest = divmod(layout.channels, unit)
    words = whole * codes.word_count(unit * layout.row, bits)
    words += codes.word_count(rest * layout.row, bits)
    return 4 * words + -(-layout.channels // group) * entries


def _packed(
    values: np.ndarray, layout: Layout, used: np.ndarray, bits: int, group: int, entries: int
) -> Iterator[Packed]:
    block, unit = _unit(layout, group)
    starts = range(0, layout.channels, group)
    tables = np.zeros((len(starts), entries), np.int8)
    for row, at in enumerate(starts):
        found = np.flatnonzero(used[at : at + group].any(axis=0)) - 128
        tables[row] = np.pad(found, (0, entries - len(found)), mode="edge")
    table_units = -(-group // unit)
    units = [
        codes.to_words(np.searchsorted(tables[number // table_units], found), bits)
        for number, found in enumerate(layout.split(values, unit))
    ]
    yield from joined(
        "table", bits, layout, units, block=block, unit=unit, tables=tables,
        table_units=table_units,
    )  # fmt: skip
