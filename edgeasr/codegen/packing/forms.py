"""The forms that weights can be packed in: for each, values to Packed where they allow it."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from edgeasr.codegen.packing import codes
from edgeasr.codegen.packing.layout import Layout
from edgeasr.codegen.packing.packed import Packed

# Fields of ear_weights_t that are uint16_t.
_UINT16_MAX = 65535


def raw(values: np.ndarray, layout: Layout) -> Iterator[Packed]:
    yield Packed("raw", 8, layout, values.astype(np.int8).ravel(), layout.channels)


def uniform(values: np.ndarray, layout: Layout) -> Iterator[Packed]:
    """Codes that count evenly from the smallest value, in steps that all values share."""
    base = int(values.min())
    moved = values.astype(np.int64) - base
    step = int(np.gcd.reduce(moved, axis=None)) or 1
    bits = max(int(moved.max()) // step, 1).bit_length()
    if bits in codes.PARTS:
        units = [codes.to_words(unit, bits) for unit in layout.split(moved // step, layout.block)]
        yield from _joined("uniform", bits, layout, units, layout.block, base=base, step=step)


def _joined(
    form: str, bits: int, layout: Layout, units: list[np.ndarray], unit: int, **more: object
) -> Iterator[Packed]:
    """Yield the units as one, if the fields of ear_weights_t can tell where each begins."""
    words = len(units[0])
    if max(words, layout.block) <= _UINT16_MAX:
        data = np.concatenate(units)
        yield Packed(form, bits, layout, data, unit, words, **more)


# In the order of the work of unpacking, least first.
FORMS: Mapping[str, Callable[[np.ndarray, Layout], Iterator[Packed]]] = {
    "raw": raw,
    "uniform": uniform,
}


def unpack_raw(packed: Packed) -> np.ndarray:
    return packed.data


def unpack_uniform(packed: Packed) -> list[np.ndarray]:
    return [
        (found.astype(np.int64) * packed.step + packed.base).astype(np.int8)
        for found in _unit_codes(packed)
    ]


def _unit_codes(packed: Packed) -> Iterator[np.ndarray]:
    for number, count in enumerate(_unit_counts(packed)):
        words = packed.data[number * packed.unit_words :]
        yield codes.from_words(words, packed.bits, count)


def _unit_counts(packed: Packed) -> list[int]:
    layout = packed.layout
    starts = range(0, layout.channels, packed.unit)
    return [min(packed.unit, layout.channels - at) * layout.row for at in starts]


UNPACKERS: Mapping[str, Callable[[Packed], list[np.ndarray]]] = {
    "uniform": unpack_uniform,
}
