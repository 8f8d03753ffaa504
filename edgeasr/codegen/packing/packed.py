"""Packed weights: the bytes, and all that is needed to have the values back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from edgeasr.codegen.packing.layout import Layout

_NO_TABLES = np.zeros((0, 0), np.int8)
# Fields of ear_weights_t that are uint16_t.
_UINT16_MAX = 65535
_BEHIND = 3


@dataclass(frozen=True, eq=False)
class Packed:
    """Weights in one of the forms, as they go to flash.

    form: raw, uniform, ternary, exponent, table or runs. bits: of one code; 8 for raw, and 2 for
    ternary, whose codes take 8/5. data: int8 values for raw, else uint32 words. block: output
    channels that a kernel unpacks at once; unit: those packed together; unit_words: from one
    unit to the next, 0 for runs. tables: int8 [tables, entries]; table_units: units that share
    one. value = base + step * code where codes count evenly; of an exponent, step is the smallest
    power; of runs, the bits of an index.
    """

    form: str
    bits: int
    layout: Layout
    data: np.ndarray
    block: int
    unit: int
    unit_words: int = 0
    tables: np.ndarray = field(default_factory=lambda: _NO_TABLES)
    table_units: int = 1
    base: int = 0
    step: int = 1

    @property
    def name(self) -> str:
        """Form and bits, as reports show them: raw, uniform4, table4."""
        return self.form if self.form in ("raw", "ternary") else f"{self.form}{self.bits}"

    @property
    def bytes(self) -> int:
        """Flash for data and tables."""
        return self.data.nbytes + self.tables.nbytes

    @property
    def values(self) -> int:
        return self.layout.channels * self.layout.row

    @property
    def unpacker(self) -> str | None:
        """The C function that unpacks it, whose file has its name; None for raw."""
        if self.form == "raw":
            return None
        return f"ear_weights_{'runs' if self.form == 'runs' and self.bits < 8 else self.name}"

    @property
    def scratch_bytes(self) -> int:
        """Memory that a kernel needs to unpack a block: unpackers write 3 bytes behind it."""
        return 0 if self.form == "raw" else self.block * self.layout.row + _BEHIND

    def unit_counts(self) -> list[int]:
        """Return the values in each unit; the last can have fewer."""
        channels = self.layout.channels
        starts = range(0, channels, self.unit)
        return [min(self.unit, channels - at) * self.layout.row for at in starts]

    def units(self) -> Iterator[tuple[np.ndarray, int]]:
        """Yield the words of each unit (and all behind them), and its number of values."""
        for number, count in enumerate(self.unit_counts()):
            yield self.data[number * self.unit_words :], count


def joined(
    form: str, bits: int, layout: Layout, units: Sequence[np.ndarray], **fields: object
) -> Iterator[Packed]:
    """Yield the units as one Packed, if the fields of ear_weights_t can tell where each begins."""
    words = len(units[0])
    block, unit = fields.setdefault("block", layout.block), fields.setdefault("unit", layout.block)
    if max(words, block, -(-layout.channels // unit)) <= _UINT16_MAX:
        yield Packed(form, bits, layout, np.concatenate(units), unit_words=words, **fields)
