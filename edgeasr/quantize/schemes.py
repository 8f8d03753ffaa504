"""A scheme, as text and as data: which grid the weights of a layer lie on.

Text: `kind[/granularity][/rule][/scales:tensor]`, as `uniform4`, `pot4/channel/mse`, `ternary`,
`codebook16/tensor`, `codebook8/group:8`, `uniform4/tensor/percentile:99.9`, `table:-4,-1,0,1,4`.
Refused: unknown kinds, sizes out of range, tables that no int8 weight could lie on.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from edgeasr.errors import InputError, alternatives

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST_LEVEL = 127  # Weights are symmetric int8: -128 is not used.
MAX_ENTRIES = 64
_UNIFORM_BITS = (2, 3, 4, 5, 6, 8)
_POT_BITS = (2, 3, 4)  # 5 bits would need the level 2^14.
_CODEBOOK_ENTRIES = (2, 64)
_KINDS: Mapping[str, str] = {
    "uniform": "uniform8, 6, 5, 4, 3 or 2 (bits)",
    "pot": "pot4, 3 or 2 (bits of sign and exponent)",
    "codebook": "codebook2 to codebook64 (entries)",
    "ternary": "ternary",
    "table": "table:-4,-1,0,1,4 (levels)",
}
_GRANULARITIES = ("tensor", "channel", "group:N")
_RULES = ("max", "percentile:P", "mse", "learned")


@dataclass(frozen=True)
class Scheme:
    """Where weights may lie: real weight = scale * level, a level an integer in -127..127.

    kind: uniform, pot (power of two), codebook, ternary or table. size: bits of uniform and pot,
    entries of the others. granularity: who shares a scale and, of a codebook, who shares a table:
    tensor, channel, or group (of at most `group` adjacent output channels, as even as they go).
    A codebook has a scale per channel whoever shares its tables, unless `one_scale` (of one table).
    rule: how a scale is found: max, percentile (of |weight|), mse (least squared error), or learned
    (begins as mse; training goes on). table: the levels of the kind table, ascending.
    """

    kind: str
    size: int
    granularity: str = "channel"
    rule: str = "mse"
    group: int = 0
    percentile: float = 100.0
    table: tuple[int, ...] = ()
    one_scale: bool = False

    def __str__(self) -> str:
        sized = self.kind in ("uniform", "pot", "codebook")
        kind = f"{self.kind}{self.size}" if sized else self.kind
        if self.kind == "table":
            kind += ":" + ",".join(map(str, self.table))
        granularity = f"group:{self.group}" if self.granularity == "group" else self.granularity
        rule = f"percentile:{self.percentile:g}" if self.rule == "percentile" else self.rule
        return "/".join([kind, granularity, rule, *["scales:tensor"] * self.one_scale])

    @property
    def bits(self) -> int:
        """Bits of the index of a level: 2 of ternary, which base 3 packs in 1.6."""
        if self.kind in ("uniform", "pot"):
            return self.size
        return max(1, (self.size - 1).bit_length())

    def levels(self) -> np.ndarray | None:
        """Return the levels, int8 ascending; None of a codebook, whose levels the weights make."""
        if self.kind == "codebook":
            return None
        if self.kind == "pot":
            # Sign and exponent: of 2^b codes one is zero, and -0 is left out (Miyashita et al.,
            # "Convolutional Neural Networks using Logarithmic Data Representation", 2016).
            powers = 2 ** np.arange(2 ** (self.size - 1) - 1)
            return np.concatenate([-powers[::-1], [0], powers]).astype(np.int8)
        if self.kind == "table":
            return np.array(self.table, np.int8)
        top = 1 if self.kind == "ternary" else 2 ** (self.size - 1) - 1
        return np.arange(-top, top + 1).astype(np.int8)

    def group_of(self, channels: int) -> int:
        """Return how many adjacent channels share (the last group may be smaller)."""
        if self.granularity == "tensor":
            return channels
        if self.granularity == "channel":
            return 1
        return -(-channels // -(-channels // self.group))


def with_one_scale(scheme: Scheme) -> Scheme:
    """Return the scheme with one scale (and table) for a whole tensor."""
    return replace(scheme, granularity="tensor", one_scale=scheme.kind == "codebook", group=0)


def parse(text: str) -> Scheme:
    """Read a scheme. Raises InputError that says what is allowed; str(parse(t)) is canonical."""
    kind, *parts = text.strip().split("/")
    found = _kind(kind, text)
    _refuse_twice(parts, text)
    for part in parts:
        found |= _part(part, text)
    if found["kind"] == "codebook":
        found.setdefault("granularity", "tensor")
    elif found.get("one_scale"):
        raise _error(text, '"scales:tensor" is for codebooks; of other kinds "tensor" says it')
    if found.get("one_scale") and found["granularity"] != "tensor":
        raise _error(text, '"scales:tensor" goes with one table; write "tensor" for the tables')
    if (found["kind"], found["size"]) == ("uniform", 8):
        found.setdefault("rule", "max")
    return Scheme(**found)


def _kind(text: str, whole: str) -> dict[str, object]:
    if text == "ternary":
        return {"kind": "ternary", "size": 3}
    if text.startswith("table:"):
        table = _table(text.removeprefix("table:"), whole)
        return {"kind": "table", "size": len(table), "table": table}
    match = re.fullmatch(r"(uniform|pot|codebook)(\d+)", text)
    if not match:
        listed = "; ".join(_KINDS.values())
        word = re.match(r"[a-z]*", text).group()
        if word in ("uniform", "pot", "codebook"):
            raise _error(whole, f'"{text}" lacks its size; allowed: {_KINDS[word]}')
        raise _error(whole, f'kind "{text}" is not known; allowed: {listed}')
    kind, size = match[1], int(match[2])
    least, most = _CODEBOOK_ENTRIES
    allowed = {"uniform": _UNIFORM_BITS, "pot": _POT_BITS, "codebook": range(least, most + 1)}
    if size not in allowed[kind]:
        raise _error(whole, f"{kind} of {size} does not exist; allowed: {_KINDS[kind]}")
    return {"kind": kind, "size": size}


def _table(text: str, whole: str) -> tuple[int, ...]:
    words = [word.strip() for word in text.split(",")]
    if not all(re.fullmatch(r"[+-]?\d{1,9}", word) for word in words):
        bad = next(word for word in words if not re.fullmatch(r"[+-]?\d{1,9}", word))
        raise _error(whole, f'level "{bad}" is no whole number; give levels as -4,-1,0,1,4')
    levels = tuple(map(int, words))
    for left, right in itertools.pairwise(levels):
        if left >= right:
            raise _error(whole, f"levels {left}, {right} do not ascend; sort them, each once")
    outside = [level for level in levels if abs(level) > LARGEST_LEVEL]
    if outside:
        raise _error(whole, f"level {outside[0]} is outside -{LARGEST_LEVEL}..{LARGEST_LEVEL}")
    if not 2 <= len(levels) <= MAX_ENTRIES:
        raise _error(whole, f"{len(levels)} levels; 2 to {MAX_ENTRIES} are allowed")
    if levels[0] >= 0 or levels[-1] <= 0:
        raise _error(whole, f"levels from {levels[0]} to {levels[-1]}; weights have both signs")
    return levels


def _refuse_twice(parts: list[str], whole: str) -> None:
    roles = [_role(part) for part in parts]
    for role in roles:
        if roles.count(role) > 1 and role is not None:
            raise _error(whole, f"names its {role} twice; once is allowed")


def _role(part: str) -> str | None:
    word = part.partition(":")[0]
    if word in ("tensor", "channel", "group"):
        return "granularity"
    if word in ("max", "percentile", "mse", "learned"):
        return "rule"
    return "scales" if word == "scales" else None


def _part(part: str, whole: str) -> dict[str, object]:
    if part in ("tensor", "channel"):
        return {"granularity": part}
    if part in ("max", "mse", "learned"):
        return {"rule": part}
    if part in ("scales:tensor", "scales:channel"):
        return {"one_scale": part == "scales:tensor"}
    word, _, number = part.partition(":")
    if word == "group":
        if not re.fullmatch(r"\d{1,5}", number) or int(number) < 1:
            raise _error(whole, f'"{part}": group:N takes a whole number of channels, 1 or more')
        return {"granularity": "group", "group": int(number)}
    if word == "percentile":
        if not re.fullmatch(r"\d+(\.\d+)?", number) or not 0 < float(number) <= 100:
            raise _error(whole, f'"{part}": percentile:P takes a number above 0, at most 100')
        return {"rule": "percentile", "percentile": float(number)}
    allowed = (*_GRANULARITIES, *_RULES, "scales:tensor")
    raise _error(whole, f'"{part}" is not known; {alternatives(part, allowed)}')


def _error(text: str, what: str) -> InputError:
    return InputError(f'scheme "{text}": {what}')
