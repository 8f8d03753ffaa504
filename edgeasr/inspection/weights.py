"""A layer's weights become the name of their grid, their packing and their bytes.

The grid is what the model's facts say, unless the values contradict them; without facts it is
recognised from the values alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeasr.codegen.packing import Packed, unpack
from edgeasr.errors import InputError
from edgeasr.quantize import schemes

if TYPE_CHECKING:
    from edgeasr.codegen.model import ModelCode
    from edgeasr.quantize.schemes import Scheme
    from edgeasr.speech import Facts

# With fewer weights to a value, few values are no sign of a table.
_WEIGHTS_PER_VALUE = 4


@dataclass(frozen=True)
class Weights:
    """The weights of one layer. op: number of its operation.

    scheme: as quantize.schemes writes it where the facts have it; else what the values show:
    uniform or power of two (pot) with their bits, ternary, or `table of N` different values.
    stated: whether the facts have it. packing: form and bits. int8_bytes: as raw int8, one a
    weight; packed_bytes: in flash, tables included.
    """

    op: int
    kind: str
    scheme: str
    stated: bool
    packing: str
    int8_bytes: int
    packed_bytes: int


def weights(code: ModelCode, facts: Facts | None) -> tuple[Weights, ...]:
    """Return the weights of a model's layers, in order; layers without any are left out."""
    stated = _stated(facts)
    found = []
    for layer in code.layers:
        if layer.packing is None:
            continue
        packed = code.packed[layer.index]
        told = stated.get(str(layer.op))
        believed = told is not None and _fits(told, packed)
        scheme = str(told) if believed else recognise(packed)
        row = (layer.op, layer.kind, scheme, believed, packed.name)
        found.append(Weights(*row, layer.weight_count, layer.weight_bytes))
    return tuple(found)


def recognise(packed: Packed) -> str:
    """Return the grid of fewest bits that the values lie on; of several the most regular.

    Few values of many weights are a table; a common factor of all values is left out.
    """
    values = np.unique(unpack(packed)).astype(int)
    levels = values // (int(np.gcd.reduce(values)) or 1)
    top = int(np.abs(levels).max())
    if top <= 1:
        return "ternary"
    uniform = min(top.bit_length() + 1, 8)
    grids = [(uniform, f"uniform{uniform}")]
    powers = np.abs(levels[levels != 0])
    if not np.any(powers & (powers - 1)):
        # Of b bits the largest power is 2^(2^(b-1) - 2).
        bits = top.bit_length().bit_length() + 1
        grids.append((bits, f"pot{bits}"))
    if packed.form == "table":
        tables, entries = packed.tables.shape
        several = f"{tables} tables of {entries}"
        grids.append((packed.bits, several if tables > 1 else f"table of {entries}"))
    elif len(values) <= min(schemes.MAX_ENTRIES, packed.values // _WEIGHTS_PER_VALUE):
        grids.append(((len(values) - 1).bit_length(), f"table of {len(values)}"))
    return min(grids, key=lambda grid: grid[0])[1]


def _stated(facts: Facts | None) -> dict[str, Scheme]:
    """Return the schemes that the facts give, by operation number; what is none is passed over."""
    quantization = facts.provenance.get("quantization") if facts else None
    layers = quantization.get("layers") if isinstance(quantization, Mapping) else None
    found = {}
    for op, text in layers.items() if isinstance(layers, Mapping) else ():
        try:
            found[op] = schemes.parse(str(text))
        except InputError:
            continue
    return found


def _fits(scheme: Scheme, packed: Packed) -> bool:
    """Whether the values can have come from the scheme: of a file quantized again they may not."""
    values = unpack(packed)
    allowed = scheme.levels()
    if allowed is not None:
        return bool(np.isin(values, allowed).all())
    rows = np.moveaxis(values, packed.layout.channel_axis, 0)
    group = scheme.group_of(len(rows))
    parts = (rows[at : at + group] for at in range(0, len(rows), group))
    return all(len(np.unique(part)) <= scheme.size for part in parts)
