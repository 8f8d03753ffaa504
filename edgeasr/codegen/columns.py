"""Scratch for a convolution that loads each weight once for five output positions.

What lies under the filter at the five is widened to int16, once for all output channels, and makes
the columns of `runtime/ear_columns_s8.h`.
"""

COUNT = 5
_BYTES_MOST = 1024


def scratch_bytes(row: int, pointwise: bool, positions: int) -> int:
    """Return the bytes that ear_conv2d_columns_s8 gets; 0 where ear_conv2d_s8 does the layer.

    row: weights of one output channel; pointwise: the filter has one tap, so that what lies under
    it needs no gathering; positions: outputs of one channel. Filters of more than a hundred weights
    a channel would take more memory than it is worth.
    """
    wanted = -(-row // 4) * 4 * (2 * COUNT + (0 if pointwise else 1))
    return wanted if positions >= COUNT and wanted <= _BYTES_MOST else 0
