"""Weights in units of adjacent output channels: the order in which packed values lie in flash.

A unit of a convolution or a fully connected layer holds [channels][weights of one channel]; of a
depthwise filter, [taps][channels]. Kernels unpack a block of whole units at a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# A block takes about so many bytes of scratch, or four channels where they are larger: these share
# each load of an input. Rows of a fully connected layer that pass the second limit are unpacked
# one by one, as they are used too seldom to be worth the memory.
BLOCK_BYTES = 1024
ROWS_BYTES_MOST = 4096


@dataclass(frozen=True)
class Layout:
    """How a tensor of weights divides: `channels` output channels of `row` values each."""

    shape: tuple[int, ...]
    channels: int
    row: int
    interleaved: bool

    @classmethod
    def of(cls, shape: tuple[int, ...], channel_axis: int) -> "Layout":
        """Return the layout of a tensor whose output channels are its first or its last axis."""
        if channel_axis not in (0, len(shape) - 1):
            raise ValueError(f"output channels along axis {channel_axis} of {list(shape)}")
        count = int(np.prod(shape))
        channels = int(shape[channel_axis])
        return cls(tuple(shape), channels, count // channels, channel_axis != 0)

    @property
    def block(self) -> int:
        """Output channels that a kernel unpacks at once."""
        if len(self.shape) == 2 and 4 * self.row > ROWS_BYTES_MOST:
            return 1
        most = max(4, BLOCK_BYTES // self.row // 4 * 4)
        blocks = -(-self.channels // most)
        even = -(-self.channels // blocks)
        return min(-(-even // 4) * 4, self.channels)

    def split(self, values: np.ndarray, unit: int) -> list[np.ndarray]:
        """Return the values of each unit of `unit` channels, in their order in memory."""
        if self.interleaved:
            rows = values.reshape(self.row, self.channels)
            return [rows[:, at : at + unit].ravel() for at in range(0, self.channels, unit)]
        rows = values.reshape(self.channels, self.row)
        return [rows[at : at + unit].ravel() for at in range(0, self.channels, unit)]

    def join(self, units: Sequence[np.ndarray]) -> np.ndarray:
        """Return the tensor whose units these are: the inverse of split."""
        if self.interleaved:
            parts = [unit.reshape(self.row, -1) for unit in units]
            return np.concatenate(parts, axis=1).reshape(self.shape)
        return np.concatenate(units).reshape(self.shape)
