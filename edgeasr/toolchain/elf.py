"""The sections of an ELF file, 32 or 64 bits: where the linker put what, and how large it is; and
what a loader writes where.

Layout: System V ABI, chapters 4 (object files) and 5 (loading); little-endian files only.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from edgeasr.errors import InputError

_T = TypeVar("_T")

_ALLOCATED = 0x2
_WRITABLE = 0x1
_NO_BITS = 8
_LOAD = 1


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
    return _read(path, _sections)


def image(path: Path) -> tuple[tuple[int, bytes], ...]:
    """Return what a programmer writes, in the file's order: physical addresses and bytes.

    Raises InputError when it is no whole ELF file of 32 bits.
    """
    return _read(path, _image)


def _read(path: Path, what: Callable[[bytes], _T]) -> _T:
    try:
        return what(path.read_bytes())
    except (struct.error, IndexError, ValueError) as error:
        raise InputError(f"{path}: not a whole little-endian ELF file ({error})") from None


def _is_wide(content: bytes) -> bool:
    if content[:4] != b"\x7fELF" or content[5] != 1:
        raise ValueError("the first bytes are wrong")
    return content[4] == 2


def _image(content: bytes) -> tuple[tuple[int, bytes], ...]:
    if _is_wide(content):
        raise ValueError("it has 64 bits")
    start = struct.unpack_from("<I", content, 0x1C)[0]
    size, count = struct.unpack_from("<2H", content, 0x2A)
    # type, offset, virtual and physical address, bytes in the file
    headers = [struct.unpack_from("<5I", content, start + i * size) for i in range(count)]
    loaded = [(at, where, length) for kind, at, _, where, length in headers if kind == _LOAD]
    if any(at + length > len(content) for at, _, length in loaded):
        raise ValueError("a segment ends beyond its end")
    return tuple((where, content[at : at + length]) for at, where, length in loaded if length)


def _sections(content: bytes) -> tuple[Section, ...]:
    wide = _is_wide(content)
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
