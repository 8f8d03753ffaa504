"""Damaged `.tflite` files: whatever the bytes, a graph or a sentence; never a crash or a hang."""

import time

import numpy as np
import pytest

from edgeasr import graph as graphs
from edgeasr.codegen.model import generate
from edgeasr.errors import InputError
from tests import tiny
from tests.vectors.kernels.tflite_builder import serialize

_ROUNDS = 1500


def _use(content: bytes) -> bool:
    """Read a file and generate its C; True when both were possible."""
    try:
        graph = graphs.parse(content)
        generate(graph, name="x", labels=("a",), content=content, board="b", where="x.tflite")
    except InputError as error:
        assert len(str(error)) > 10
        return False
    return True


@pytest.fixture(scope="module")
def content() -> bytes:
    return serialize(tiny.graph())


def test_the_whole_file_is_usable(content: bytes) -> None:
    assert _use(content)


@pytest.mark.parametrize("seed", range(4))
def test_flipped_bytes(content: bytes, seed: int) -> None:
    rng = np.random.default_rng(seed)
    refused = 0
    for _ in range(_ROUNDS):
        damaged = np.frombuffer(content, np.uint8).copy()
        places = rng.integers(0, len(damaged), rng.integers(1, 6))
        damaged[places] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, int(rng.integers(256))], len(places))
        start = time.process_time()
        refused += not _use(damaged.tobytes())
        assert time.process_time() - start < 5
    assert refused > _ROUNDS // 20


def test_truncations(content: bytes) -> None:
    for length in range(0, len(content), 3):
        _use(content[:length])


def test_words_replaced_by_extremes(content: bytes) -> None:
    """Every aligned word once: offsets, lengths, indices, enums, scales."""
    words = np.frombuffer(content[: len(content) // 4 * 4], "<u4")
    for value in (0, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FC00000):
        for place in range(len(words)):
            damaged = words.copy()
            damaged[place] = value
            _use(damaged.tobytes())
