"""ear_weights_rows in C gives back what packing was given, block by block, and keeps to scratch."""

import ctypes

import numpy as np
import pytest

from edgeasr.codegen.packing import Packed, pack_raw, unpack
from tests.vectors.kernels import host
from tests.vectors.kernels.cases_packed import GRIDS, pack_for

_SHAPES = (
    ((4, 3, 3, 3), 0), ((64, 1, 1, 64), 0), ((37, 5, 1, 3), 0), ((1, 3, 3, 24), 3),
    ((1, 10, 8, 141), 3), ((3, 1301), 0), ((260, 7), 0), ((1, 1, 1, 259), 3), ((5, 16, 16, 3), 0),
)  # fmt: skip
_GUARD = 32


@pytest.mark.parametrize("unpacker", GRIDS)
@pytest.mark.parametrize("shape", _SHAPES)
def test_blocks_come_back(unpacker: str, shape: tuple[tuple[int, ...], int]) -> None:
    values = GRIDS[unpacker](np.random.default_rng(3), *shape)
    packed = pack_for(unpacker)(values, shape[1])
    layout = packed.layout
    expected = layout.split(unpack(packed), packed.block)

    for number, first in enumerate(range(0, layout.channels, packed.block)):
        count = min(packed.block, layout.channels - first)
        assert np.array_equal(_rows(packed, first, count), expected[number]), (first, count)


def _rows(packed: Packed, first: int, count: int) -> np.ndarray:
    scratch = np.full(packed.scratch_bytes + _GUARD, 0x5A, np.int8)
    keep: list[object] = []
    address = host.rows(packed, first, count, scratch, keep)
    assert address == scratch.ctypes.data
    assert (scratch[packed.scratch_bytes :] == 0x5A).all(), "wrote behind its scratch"
    return scratch[: count * packed.layout.row].copy()


def test_raw_weights_stay_where_they_are() -> None:
    values = np.random.default_rng(4).integers(-128, 128, (9, 31)).astype(np.int8)
    packed, keep = pack_raw(values, 0), []

    address = host.rows(packed, 2, 3, np.zeros(0, np.int8), keep)

    found = np.frombuffer(ctypes.string_at(address, 3 * 31), np.int8)
    assert np.array_equal(found, values[2:5].ravel())
