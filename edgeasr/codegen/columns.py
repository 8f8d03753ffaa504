"""Scratch for a convolution that loads each weight once for five output positions.

What lies under the filter at the five is widened to int16, once for all output channels, and makes
the columns of `runtime/ear_columns_s8.h`.
"""

import itertools
import math
from collections.abc import Sequence

COUNT = 5
_BYTES_MOST = 2048


def scratch_bytes(row: int, pointwise: bool, positions: int) -> int:
    """Return the bytes that ear_conv2d_columns_s8 gets; 0 where ear_conv2d_s8 does the layer.

    row: weights of one output channel; pointwise: the filter has one tap, so that what lies under
    it needs no gathering; positions: outputs of one channel. Filters of about two hundred weights a
    channel and more go by slices, or would take more memory than it is worth.
    """
    wanted = -(-row // 4) * 4 * (2 * COUNT + (0 if pointwise else 1))
    return wanted if positions >= COUNT and wanted <= _BYTES_MOST else 0


def slice_rows(height: int, line: int, block: int, positions: int) -> int:
    """Return how many rows of a filter ear_conv2d_slices_s8 takes at once; 0 where it cannot serve.

    height: of the filter; line: weights of one channel in one of its rows; block: channels whose
    weights are unpacked together.
    """
    fitting = [r for r in range(1, height) if slice_bytes(r * line, block) <= _BYTES_MOST]
    if positions < COUNT or not fitting:
        return 0
    slices = -(-height // fitting[-1])
    return -(-height // slices)


def slice_bytes(weights: int, block: int) -> int:
    """Return the bytes that ear_conv2d_slices_s8 gets for slices of so many weights a channel."""
    return -(-weights // 4) * 4 * (2 * COUNT + 1) + 4 * COUNT * block


def ahead_bytes(reads: Sequence[float], output_bytes: int) -> int:
    """Return how far ahead of the output the input has to lie for the one to be written over it.

    reads: the first byte of the input that each position reads, in order. output_bytes: of one
    position. Positions are read COUNT at a time, before any of them is written.
    """
    later = [*itertools.accumulate(reversed(reads), min)][::-1]
    ends = range(COUNT, len(reads), COUNT)
    return math.ceil(max((end * output_bytes - later[end] for end in ends), default=0))
