"""Weights in units of adjacent output channels: the order in which packed values lie in flash.

A unit of a convolution or a fully connected layer holds [channels][weights of one channel]; of a
depthwise filter, [taps][channels]. Kernels unpack a block of whole units at a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# A block takes at most so many bytes of scratch, or four channels where they are larger: these
# share each load of an input. Each block costs instructions at each output position, so where
# memory lies idle a block may take more of it, up to the second limit. Rows of a fully connected
# layer that pass it by four are unpacked one by one: they are used too seldom for the memory.
BLOCK_BYTES = 1024
BLOCK_BYTES_MOST = 4096


@dataclass(frozen=True)
class Layout:
    """How a tensor of weights divides: `channels` output channels of `row` values each.

    block_bytes: the most that a block takes, unless four channels do.
    """

    shape: tuple[int, ...]
    channels: int
    row: int
    interleaved: bool
    block_bytes: int = BLOCK_BYTES

    @classmethod
    def of(
        cls, shape: tuple[int, ...], channel_axis: int, block_bytes: int = BLOCK_BYTES
    ) -> "Layout":
        """Return the layout of a tensor whose output channels are its first or its last axis."""
        if channel_axis not in (0, len(shape) - 1):
            raise ValueError(f"output channels along axis {channel_axis} of {list(shape)}")
        count = int(np.prod(shape))
        channels = int(shape[channel_axis])
        return cls(tuple(shape), channels, count // channels, channel_axis != 0, block_bytes)

    @property
    def channel_axis(self) -> int:
        return len(self.shape) - 1 if self.interleaved else 0

    @property
    def block(self) -> int:
        """Output channels that a kernel unpacks at once."""
        if len(self.shape) == 2 and 4 * self.row > BLOCK_BYTES_MOST:
            return 1
        most = max(4, self.block_bytes // self.row // 4 * 4)
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
