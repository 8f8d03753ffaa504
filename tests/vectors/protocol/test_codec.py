"""The table of frames, in Python and in C."""

import random
import zlib

import pytest

from edgeasr import protocol
from edgeasr.protocol import MAX_ENCODED, MAX_PAYLOAD, Frame
from tests.conftest import need
from tests.vectors.protocol import c_codec
from tests.vectors.protocol.cases import CASES, Case


@pytest.fixture(params=["Python", "C"])
def new_decoder(request: pytest.FixtureRequest):
    if request.param == "C":
        need("cc")
        return c_codec.Decoder
    return protocol.Decoder


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_decode(new_decoder, case: Case) -> None:
    decoder = new_decoder()
    assert tuple(decoder.push(case.line)) == case.frames
    assert decoder.dropped == case.dropped


@pytest.mark.parametrize("size", [1, 2, 7, 64])
def test_pieces_of_any_size_give_the_same(new_decoder, size: int) -> None:
    decoder = new_decoder()
    line = b"\0".join(case.line for case in CASES)  # a delimiter ends what a case leaves open
    whole = new_decoder()
    wanted = list(whole.push(line))
    found = [f for at in range(0, len(line), size) for f in decoder.push(line[at : at + size])]
    assert found == wanted
    assert decoder.dropped == whole.dropped


@pytest.mark.parametrize("case", [c for c in CASES if len(c.frames) == 1], ids=lambda c: c.name)
def test_c_encodes_as_python_does(case: Case) -> None:
    need("cc")
    (frame,) = case.frames
    encoded = frame.encode()
    assert c_codec.encode(frame) == encoded
    assert len(encoded) <= MAX_ENCODED
    assert 0 not in encoded[1:-1]


def test_the_check_value_of_the_crc() -> None:
    need("cc")
    assert zlib.crc32(b"123456789") == 0xCBF43926
    assert c_codec.crc32(0, b"123456789") == 0xCBF43926
    assert c_codec.crc32(c_codec.crc32(0, b"1234"), b"56789") == 0xCBF43926


def test_every_value_of_a_byte_in_the_crc() -> None:
    need("cc")
    for value in range(256):
        assert c_codec.crc32(0, bytes([value])) == zlib.crc32(bytes([value]))


def test_a_frame_longer_than_the_buffer_is_dropped() -> None:
    need("cc")
    decoder = c_codec.Decoder(capacity=20)
    fits, long = Frame(1, 2, bytes(12)), Frame(1, 3, bytes(13))
    assert decoder.push(long.encode() + fits.encode()) == [fits]
    assert decoder.dropped == 1


def test_python_refuses_a_payload_that_is_too_long() -> None:
    with pytest.raises(ValueError, match="payload of 513 B; at most 512 B fit"):
        Frame(1, 1, bytes(MAX_PAYLOAD + 1)).encode()


def test_both_decoders_agree_on_noise() -> None:
    need("cc")
    dice = random.Random(5)
    one, two = protocol.Decoder(), c_codec.Decoder()
    for _ in range(300):
        data = bytearray(Frame(dice.randrange(256), 9, dice.randbytes(dice.randrange(40))).encode())
        for _ in range(dice.randrange(3)):
            data[dice.randrange(len(data))] = dice.choice([0, 1, 255, dice.randrange(256)])
        assert list(one.push(bytes(data))) == two.push(bytes(data))
        assert one.dropped == two.dropped
    assert one.dropped > 50
