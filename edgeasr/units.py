"""Numbers with units, for people and from people: bytes, counts, rates."""

import re

from edgeasr.errors import InputError

_SUFFIX = {
    "": 1,
    "B": 1,
    "K": 1024,
    "KB": 1024,
    "KIB": 1024,
    "M": 1 << 20,
    "MB": 1 << 20,
    "MIB": 1 << 20,
    "G": 1 << 30,
    "GB": 1 << 30,
    "GIB": 1 << 30,
}


def format_bytes(count: int) -> str:
    """Return `151,552 B (148.0 KiB)`; below 1 KiB only the bytes."""
    if count < 1024:
        return f"{count} B"
    if count < 1 << 20:
        return f"{count:,} B ({count / 1024:.1f} KiB)"
    return f"{count:,} B ({count / (1 << 20):.1f} MiB)"


def format_count(count: float) -> str:
    """Return a count with three significant digits and a decimal suffix: `2.66 M`, `110 k`."""
    for limit, suffix in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(count) >= limit:
            return f"{count / limit:.3g}{suffix}"
    return f"{count:.3g}"


def parse_bytes(text: str) -> int:
    """Read `131072`, `128K`, `1.5 MiB` as bytes (K, M and G are powers of 1024)."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", text)
    if not match or match[2].upper() not in _SUFFIX:
        raise InputError(
            f'size "{text}" is not understood; write a number, with K, M or G after it'
        )
    return int(float(match[1]) * _SUFFIX[match[2].upper()])
