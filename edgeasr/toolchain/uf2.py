"""A program's bytes become a UF2 file: what the boot ROM of a Pico takes as a USB drive, and back.

Layout: https://github.com/microsoft/uf2, blocks of 512 bytes with 256 bytes of the flash in each.
Refused are programs that do not fit a file, and files that are no whole one.
"""

import struct
from collections.abc import Iterable, Mapping

from edgeasr.boards import Board
from edgeasr.errors import InputError

# The way to flash in a board file, and how a file's name ends.
WAY = "uf2"
SUFFIX = ".uf2"

_MAGIC = (0x0A324655, 0x9E5D5157, 0x0AB16F30)
_FAMILY_GIVEN = 0x2000
_NOT_FOR_FLASH = 0x1
# Three words before what is told of the block, and one at its end.
_BLOCK = struct.Struct("<8I476sI")
PAGE_BYTES = 256
_ADDRESSES = 1 << 32
# 16 MB: more flash than any of these boards can address.
_MOST_BLOCKS = 1 << 16


def family(board: Board) -> int:
    """Return the family that the board's flash.uf2 names; InputError where it names none."""
    value = board.flash[WAY].get("family")
    if type(value) is not int or not 0 < value < 1 << 32:
        raise InputError(
            f"board {board.name}: flash.uf2.family is {value!r}; it must be a number of 32 bits, "
            "of UF2's list of families"
        )
    return value


def render(pieces: Iterable[tuple[int, bytes]], family: int) -> bytes:
    """Return the UF2 file of (address, bytes) pieces; what lies between them in a page is 0.

    family: who may take it, of UF2's list. Raises InputError where pieces overlap or lie beyond
    32-bit addresses, or are empty or too much.
    """
    pages = _pages(pieces)
    if not 0 < len(pages) <= _MOST_BLOCKS:
        raise InputError(
            f"a UF2 file holds 1 to {_MOST_BLOCKS} pages of {PAGE_BYTES} B, and the program has "
            f"{len(pages)}"
        )
    return b"".join(
        _BLOCK.pack(
            *_MAGIC[:2], _FAMILY_GIVEN, address, PAGE_BYTES, number, len(pages), family,
            bytes(page), _MAGIC[2],
        )
        for number, (address, page) in enumerate(sorted(pages.items()))
    )  # fmt: skip


def _pages(pieces: Iterable[tuple[int, bytes]]) -> Mapping[int, bytearray]:
    pages: dict[int, bytearray] = {}
    end = 0
    for address, content in sorted(piece for piece in pieces if piece[1]):
        if address < end:
            raise InputError(f"two pieces of the program lie at 0x{address:08x}")
        end = address + len(content)
        if end > _ADDRESSES or len(content) > _MOST_BLOCKS * PAGE_BYTES:
            raise InputError(
                f"the program's {len(content)} B at 0x{address:08x} do not fit a UF2 file: it has "
                f"32-bit addresses and {_MOST_BLOCKS} pages of {PAGE_BYTES} B"
            )
        for at in range(address - address % PAGE_BYTES, end, PAGE_BYTES):
            page = pages.setdefault(at, bytearray(PAGE_BYTES))
            first, last = max(at, address), min(at + PAGE_BYTES, end)
            page[first - at : last - at] = content[first - address : last - address]
    return pages


def parse(content: bytes, *, where: str) -> tuple[int, tuple[tuple[int, bytes], ...]]:
    """Return family and (address, bytes) of each block; `where` begins the text of any error.

    Raises InputError when it is no whole UF2 file for one family.
    """
    if not content or len(content) % _BLOCK.size:
        raise InputError(
            f"{where}: has {len(content)} B; a UF2 file is made of blocks of {_BLOCK.size} B"
        )
    blocks = list(_BLOCK.iter_unpack(content))
    families = {block[7] for block in blocks}
    for number, block in enumerate(blocks):
        first, second, flags, address, length, own_number, count, _, _, last = block
        if (first, second, last) != _MAGIC:
            wrong = "does not begin and end as a UF2 block does"
        elif flags & _NOT_FOR_FLASH or not flags & _FAMILY_GIVEN:
            wrong = f"has the flags 0x{flags:x}, not those of a part of the flash with a family"
        elif (own_number, count) != (number, len(blocks)):
            wrong = f"says that it is block {own_number} of {count}"
        elif length != PAGE_BYTES or address % PAGE_BYTES or address + length > _ADDRESSES:
            wrong = f"has {length} B at 0x{address:08x}, not a page of {PAGE_BYTES} B"
        else:
            continue
        raise InputError(f"{where}: block {number} of {len(blocks)} {wrong}")
    if len(families) > 1:
        listed = ", ".join(f"0x{family:08x}" for family in sorted(families))
        raise InputError(f"{where}: is for several families: {listed}")
    return families.pop(), tuple((block[3], block[8][:PAGE_BYTES]) for block in blocks)
