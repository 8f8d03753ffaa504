"""PCM as the device takes it."""

import numpy as np

from edgeasr.errors import InputError


def as_samples(pcm: np.ndarray) -> np.ndarray:
    """Return 16-bit mono PCM as little-endian int16 [samples]; InputError for anything else."""
    samples = np.asarray(pcm)
    if samples.dtype != np.int16 or samples.ndim != 1:
        raise InputError(
            f"PCM is {samples.dtype} of shape {list(samples.shape)}; the device takes int16 of "
            "shape [samples]: one channel, 16 bits"
        )
    return samples.astype("<i2", copy=False)
