"""Options of custom operators: read as they were written, and never a crash on what is damaged."""

import numpy as np
import pytest
from flatbuffers import flexbuffers

from edgeasr.graph import flexbuffer

_OPTIONS = {
    "T": 7,
    "fft_length": 512,
    "clamping": False,
    "scale": 0.5,
    "name": "x",
    "sizes": [1, 9],
}


def test_a_map_of_scalars_and_lists_is_read() -> None:
    found = flexbuffer.parse(bytes(flexbuffers.Dumps(_OPTIONS)))

    assert found == _OPTIONS | {"sizes": (1, 9)}
    assert isinstance(found["clamping"], bool)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ([1, 2], "no map"),
        ({"a": {"b": 1}}, "type"),
        ({"a": [{"b": 1}]}, "type"),
        ({str(i): i for i in range(100)}, "at most 64"),
        ({"a": "x" * 5000}, "at most 4096"),
    ],
)
def test_other_shapes_are_refused(value: object, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        flexbuffer.parse(bytes(flexbuffers.Dumps(value)))


def test_damaged_bytes_end_in_options_or_an_error() -> None:
    rng = np.random.default_rng(5)
    good = bytes(flexbuffers.Dumps(_OPTIONS))
    refused = 0
    for _ in range(3000):
        content = bytearray(good)
        for _ in range(rng.integers(1, 4)):
            content[rng.integers(len(content))] = rng.integers(256)
        del content[: int(rng.integers(0, 3)) * int(rng.integers(0, 2)) * 5]
        try:
            found = flexbuffer.parse(bytes(content))
        except ValueError:
            refused += 1
            continue
        assert isinstance(found, dict)
    assert refused > 500


@pytest.mark.parametrize("content", [b"", b"\x00", b"\xff" * 7, b"\x00\x00\x00"])
def test_nothing_and_noise_are_errors(content: bytes) -> None:
    with pytest.raises(ValueError):
        flexbuffer.parse(content)
