"""Forms whose codes count evenly or by powers of two: raw, uniform, ternary, exponent."""

from collections.abc import Iterator

import numpy as np

from edgeasr.codegen.packing import codes
from edgeasr.codegen.packing.layout import Layout
from edgeasr.codegen.packing.packed import Packed, joined

# Five digits of base 3 in a byte, and what 243 of them take of its 256 values.
_TRITS = 5
_TRIT_VALUES = 3**_TRITS


def raw(values: np.ndarray, layout: Layout) -> Iterator[Packed]:
    flat = values.astype(np.int8).ravel()
    yield Packed("raw", 8, layout, flat, block=layout.channels, unit=layout.channels)


def unpack_raw(packed: Packed) -> list[np.ndarray]:
    return packed.layout.split(packed.data, packed.unit)


def uniform(values: np.ndarray, layout: Layout) -> Iterator[Packed]:
    """Codes that count from the smallest value, in the largest step that all values share."""
    counted, base, step = _counted(values)
    bits = max(int(counted.max()).bit_length(), 1)
    if bits in codes.PARTS:
        units = [codes.to_words(unit, bits) for unit in layout.split(counted, layout.block)]
        yield from joined("uniform", bits, layout, units, base=base, step=step)


def unpack_uniform(packed: Packed) -> list[np.ndarray]:
    found = [codes.from_words(words, packed.bits, count) for words, count in packed.units()]
    return [_real(unit, packed) for unit in found]


def ternary(values: np.ndarray, layout: Layout) -> Iterator[Packed]:
    """Codes 0, 1 and 2, five to a byte, where no value needs another."""
    counted, base, step = _counted(values)
    if counted.max() <= 2:
        units = [trits_to_words(unit) for unit in layout.split(counted, layout.block)]
        yield from joined("ternary", 2, layout, units, base=base, step=step)


def unpack_ternary(packed: Packed) -> list[np.ndarray]:
    return [_real(words_to_trits(words, count), packed) for words, count in packed.units()]


def exponent(values: np.ndarray, layout: Layout) -> Iterator[Packed]:
    """A sign bit above an exponent: 0 is 0, and e is step * 2^(e - 1).

    Of 3 or 4 bits: one power alone is ternary, and int8 has no more than eight.
    """
    sizes = np.unique(np.abs(values.astype(np.int64)))
    powers = sizes[sizes > 0]
    if not len(powers) or np.any(powers & (powers - 1)):
        return
    step = int(powers[0])
    most = int(powers[-1] // step).bit_length()
    bits = most.bit_length() + 1
    if bits not in (3, 4):
        return
    moved = values.astype(np.int64)
    places = np.where(moved == 0, 0, np.log2(np.maximum(np.abs(moved), step) // step) + 1)
    coded = places.astype(np.int64) | ((moved < 0) << (bits - 1))
    units = [codes.to_words(unit, bits) for unit in layout.split(coded, layout.block)]
    yield from joined("exponent", bits, layout, units, step=step)


def unpack_exponent(packed: Packed) -> list[np.ndarray]:
    table = exponent_table(packed.bits, packed.step)
    return [table[codes.from_words(words, packed.bits, n)] for words, n in packed.units()]


def exponent_table(bits: int, step: int) -> np.ndarray:
    """Return the int8 value of each code."""
    half = 1 << (bits - 1)
    places = np.arange(half)
    sizes = np.where(places == 0, 0, step << np.maximum(places - 1, 0))
    return np.concatenate([sizes, -sizes]).astype(np.int8)


def trits_to_words(trits: np.ndarray) -> np.ndarray:
    """Return digits 0 to 2 as uint32 words: plane p, digit p of each byte, holds four.

    A byte is ceil(256 / 243 * number). Multiplied by 3 it carries its first digit out of its 8
    bits and keeps the others, as a fraction in base 3 would.
    """
    count = -(-len(trits) // (4 * _TRITS))
    filled = np.zeros(count * 4 * _TRITS, np.uint32)
    filled[: len(trits)] = trits
    weights = 3 ** np.arange(_TRITS - 1, -1, -1, dtype=np.uint32)
    numbers = (filled.reshape(count, _TRITS, 4) * weights[:, np.newaxis]).sum(axis=1)
    lanes = (numbers * 256 + _TRIT_VALUES - 1) // _TRIT_VALUES
    return np.bitwise_or.reduce(
        lanes.astype(np.uint32) << np.arange(0, 32, 8, dtype=np.uint32), axis=1
    )


def words_to_trits(words: np.ndarray, count: int) -> np.ndarray:
    """Return the first `count` digits, uint8: the inverse of trits_to_words."""
    used = words[: -(-count // (4 * _TRITS)), np.newaxis]
    lanes = (used >> np.arange(0, 32, 8, dtype=np.uint32)) & 255
    planes = []
    for _ in range(_TRITS):
        lanes = lanes * 3
        planes.append(lanes >> 8)
        lanes = lanes & 255
    return np.stack(planes, axis=1).ravel()[:count].astype(np.uint8)


def _counted(values: np.ndarray) -> tuple[np.ndarray, int, int]:
    """Return codes from 0 on, base and step: value = base + step * code."""
    base = int(values.min())
    moved = values.astype(np.int64) - base
    step = int(np.gcd.reduce(moved, axis=None)) or 1
    return moved // step, base, step


def _real(found: np.ndarray, packed: Packed) -> np.ndarray:
    return (found.astype(np.int64) * packed.step + packed.base).astype(np.int8)
