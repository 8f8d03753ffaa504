"""Packed weights: the bytes, and all that is needed to have the values back."""

from dataclasses import dataclass, field

import numpy as np

from edgeasr.codegen.packing.layout import Layout

_NO_TABLES = np.zeros((0, 0), np.int8)


@dataclass(frozen=True, eq=False)
class Packed:
    """Weights in one of the forms, as they go to flash.

    form: raw, uniform, ternary, exponent, table or runs. bits: of one code; 8 for raw, and 2 for
    ternary, which needs 8/5. data: int8 values for raw, else uint32 words. unit: output channels
    packed together; unit_words: from one unit to the next, 0 where they differ. tables: int8
    [tables, entries]; table_units: units that share one. value = base + step * code where codes
    count evenly; of an exponent, step is the smallest power.
    """

    form: str
    bits: int
    layout: Layout
    data: np.ndarray
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
        return None if self.form == "raw" else f"ear_weights_{self.name}"

    @property
    def scratch_bytes(self) -> int:
        """Memory that a kernel needs to unpack a block of output channels."""
        return 0 if self.form == "raw" else self.layout.scratch_bytes
