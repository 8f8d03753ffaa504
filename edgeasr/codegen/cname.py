"""Text that becomes C: every identifier and every literal of generated code passes through here."""

import re
from collections.abc import Iterable

import numpy as np

_KEYWORDS = frozenset(
    "auto break case char const continue default do double else enum extern float for goto if "
    "inline int long register restrict return short signed sizeof static struct switch typedef "
    "union unsigned void volatile while bool true false main alignas alignof".split()
)


def identifier(text: str) -> str:
    """Return a C identifier for any text: ASCII letters, digits and `_`, never a keyword.

    Different texts can give the same identifier: number them where that matters.
    """
    name = re.sub(r"[^0-9A-Za-z_]+", "_", text).strip("_") or "x"
    return f"x_{name}" if name[0].isdigit() or name in _KEYWORDS else name


def string(text: str) -> str:
    """Return a C string literal whose bytes are `text` in UTF-8, whatever it holds.

    Everything but printable ASCII is written as a three-digit octal escape; `?` too after `?`, so
    that no trigraph arises.
    """
    out: list[str] = []
    for byte in text.encode():
        char = chr(byte)
        if char in '"\\' or not 0x20 <= byte < 0x7F or (char == "?" and out and out[-1] == "?"):
            out.append(f"\\{byte:03o}")
        else:
            out.append(char)
    return '"' + "".join(out) + '"'


def comment(text: str) -> str:
    """Return text that can stand in a C comment: one line, printable ASCII, no `*/` or `/*`."""
    plain = "".join(c if 0x20 <= ord(c) < 0x7F else "?" for c in text)
    return plain.replace("*/", "*?").replace("/*", "/?").replace("\\", "/")


def integer(value: int) -> str:
    """Return a C literal for an integer of up to 64 bits; the least ones need a form of their own.

    Values of up to 32 bits have at most 32 bits in C too.
    """
    value = int(value)
    if not -(1 << 63) <= value < 1 << 64:
        raise ValueError(f"{value} does not fit 64 bits")
    if value in (-(1 << 31), -(1 << 63)):
        return f"({integer(value + 1)} - 1)"
    unsigned = "u" if value >= 1 << 63 or 1 << 31 <= value < 1 << 32 else ""
    return f"{value}{unsigned}" if -(1 << 31) < value < 1 << 32 else f"{value}{unsigned}ll"


def real(value: float) -> str:
    """Return a C literal of type float with exactly the value of float32 `value`."""
    single = np.float32(value)
    if not np.isfinite(single):
        raise ValueError(f"{value} has no C literal")
    return f"{float(single).hex()}f"


def initializer(values: np.ndarray, width: int = 100, indent: str = "    ") -> str:
    """Return the elements of an array, comma separated, in lines of at most `width` characters."""
    flat = np.asarray(values).ravel()
    literal = real if flat.dtype.kind == "f" else integer
    return _fill((literal(v) for v in flat.tolist()), width, indent)


def _fill(words: Iterable[str], width: int, indent: str) -> str:
    lines, line = [], indent
    for word in words:
        if len(line) + len(word) + 1 > width and line != indent:
            lines.append(line.rstrip())
            line = indent
        line += word + ", "
    lines.append(line.rstrip())
    return "\n".join(lines)
