"""The sections of an ELF file, 32 or 64 bits: where the linker put what, and how large it is.

Layout: System V ABI, chapter 4 (object files); little-endian files only.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

from edgeasr.errors import InputError

_ALLOCATED = 0x2
_WRITABLE = 0x1
_NO_BITS = 8


@dataclass(frozen=True)
class Section:
    """A section that takes memory while the program runs.

    loaded: its bytes are in the file, so that a bare-metal program keeps them in flash too.
    """

    name: str
    address: int
    bytes: int
    writable: bool
    loaded: bool


def sections(path: Path) -> tuple[Section, ...]:
    """Read the allocated sections of a program. Raises InputError when it is no whole ELF file."""
    try:
        return _sections(path.read_bytes())
    except (struct.error, IndexError, ValueError) as error:
        raise InputError(f"{path}: not a whole little-endian ELF file ({error})") from None


def _sections(content: bytes) -> tuple[Section, ...]:
    if content[:4] != b"\x7fELF" or content[5] != 1:
        raise ValueError("the first bytes are wrong")
    wide = content[4] == 2
    start = struct.unpack_from("<Q" if wide else "<I", content, 0x28 if wide else 0x20)[0]
    size, count, names_at = struct.unpack_from("<3H", content, 0x3A if wide else 0x2E)
    # name, type, flags, address, offset, bytes
    layout = "<2I4Q" if wide else "<6I"
    headers = [struct.unpack_from(layout, content, start + i * size) for i in range(count)]
    names = headers[names_at][4]
    return tuple(
        Section(
            name=content[names + at : content.index(0, names + at)].decode(),
            address=address,
            bytes=length,
            writable=bool(flags & _WRITABLE),
            loaded=kind != _NO_BITS,
        )
        for at, kind, flags, address, _, length in headers
        if flags & _ALLOCATED and length
    )
