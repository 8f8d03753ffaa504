"""Sizes of C structs by the rules of a target's ABI, from their fields alone.

A struct is written as text, one letter a field: b one byte (bool, uint8_t, scoped enum of it),
h int16_t, i int32_t, int or float, d double or int64_t, p pointer or size_t, e unscoped enum;
parentheses hold a nested struct, spaces are free, and a number repeats what follows it: "4i" is
"iiii". Both ABIs of interest (System V x86-64, AAPCS for Cortex-M) align a field to its own size
and a struct to its largest field.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

_ITEM = re.compile(r"(\d*)([bhidpe(])")


def align_up(size: int, alignment: int) -> int:
    """Round up to a multiple of the alignment."""
    return -(-size // alignment) * alignment


@dataclass(frozen=True)
class Abi:
    """pointer_bytes: of pointers and size_t. enum_bytes: of an unscoped enum of few values."""

    pointer_bytes: int
    enum_bytes: int

    def size(self, fields: str) -> int:
        """Return sizeof of the struct."""
        return _layout(fields, self.pointer_bytes, self.enum_bytes)[0]

    def alignment(self, fields: str) -> int:
        """Return alignof of the struct."""
        return _layout(fields, self.pointer_bytes, self.enum_bytes)[1]


@lru_cache
def _layout(fields: str, pointer_bytes: int, enum_bytes: int) -> tuple[int, int]:
    widths = {"b": 1, "h": 2, "i": 4, "d": 8, "p": pointer_bytes, "e": enum_bytes}
    text = fields.replace(" ", "")
    offset, largest, position = 0, 1, 0
    while position < len(text):
        item = _ITEM.match(text, position)
        if not item:
            raise ValueError(f'"{fields}" is no list of fields: "{text[position:]}"')
        count, letter = int(item[1] or 1), item[2]
        position = item.end()
        if letter == "(":
            end = _closing(text, position)
            size, alignment = _layout(text[position:end], pointer_bytes, enum_bytes)
            position = end + 1
        else:
            size = alignment = widths[letter]
        offset = align_up(offset, alignment) + count * size
        largest = max(largest, alignment)
    return align_up(offset, largest), largest


def _closing(text: str, start: int) -> int:
    depth = 1
    for position in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        if not depth:
            return position
    raise ValueError(f'"{text}" has an open parenthesis')
