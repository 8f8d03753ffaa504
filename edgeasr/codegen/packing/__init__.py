"""Weights to the smallest lossless form that their values allow, and back.

A quantizer leaves int8 values on some small grid; nothing else is known of it here. Nothing is
refused: what fits no form stays raw.
"""

import numpy as np

from edgeasr.codegen.packing.forms import FORMS, UNPACKERS
from edgeasr.codegen.packing.layout import Layout
from edgeasr.codegen.packing.packed import Packed

__all__ = ["Layout", "Packed", "candidates", "pack", "unpack"]


def candidates(values: np.ndarray, channel_axis: int) -> list[Packed]:
    """Return every form that the values, int8 of any shape, allow: smallest first.

    channel_axis: that of the output channels, first or (for depthwise filters) last. Of equal
    sizes the one that unpacks fastest comes first.
    """
    layout = Layout.of(values.shape, channel_axis)
    found = [packed for make in FORMS.values() for packed in make(values, layout)]
    return sorted(found, key=lambda packed: packed.bytes)


def pack(values: np.ndarray, channel_axis: int) -> Packed:
    """Return the smallest of candidates()."""
    return candidates(values, channel_axis)[0]


def pack_raw(values: np.ndarray, channel_axis: int) -> Packed:
    """Return the values as they are, in the form of a Packed."""
    (packed,) = FORMS["raw"](values, Layout.of(values.shape, channel_axis))
    return packed


def unpack(packed: Packed) -> np.ndarray:
    """Return the values, int8 in their first shape."""
    if packed.form == "raw":
        return packed.data.reshape(packed.layout.shape)
    return packed.layout.join(UNPACKERS[packed.form](packed))
