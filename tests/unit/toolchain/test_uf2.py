"""UF2 files: every byte comes back from where it was; what no boot ROM takes is refused."""

import dataclasses
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeasr import boards
from edgeasr.errors import InputError
from edgeasr.toolchain import uf2

_FAMILY = 0xE48BFF56
_PIECES = [(0x10000000, bytes(range(256)) * 2 + b"end"), (0x10001080, b"far")]


def _memory(content: bytes) -> dict[int, int]:
    _, pages = uf2.parse(content, where="test")
    return {at + i: byte for at, page in pages for i, byte in enumerate(page)}


def test_a_block_is_as_the_specification_has_it():
    made = uf2.render([(0x10000100, b"\x01\x02")], _FAMILY)

    assert len(made) == 512
    assert made[:4] == b"UF2\n"
    assert struct.unpack_from("<7I", made, 4) == (
        0x9E5D5157, 0x2000, 0x10000100, 256, 0, 1, _FAMILY,
    )  # fmt: skip
    assert made[32:34] == b"\x01\x02"
    assert set(made[34:508]) == {0}
    assert made[508:] == bytes.fromhex("306fb10a")


def test_pages_are_whole_in_order_and_numbered():
    family, pages = uf2.parse(uf2.render(reversed(_PIECES), _FAMILY), where="test")

    assert family == _FAMILY
    assert [at for at, _ in pages] == [0x10000000, 0x10000100, 0x10000200, 0x10001000]
    assert pages[2][1] == b"end" + bytes(253)
    assert pages[3][1] == bytes(128) + b"far" + bytes(125)


@given(
    st.dictionaries(st.integers(0, 60), st.binary(min_size=1, max_size=700), min_size=1, max_size=5)
)
def test_every_byte_comes_back_from_its_address(chosen):
    pieces = [(0x20000000 + 701 * place, data) for place, data in chosen.items()]

    memory = _memory(uf2.render(pieces, _FAMILY))

    for address, data in pieces:
        assert bytes(memory[address + i] for i in range(len(data))) == data


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        ([], "a UF2 file holds 1 to 65536 pages of 256 B, and the program has 0"),
        ([(0, b"")], "and the program has 0"),
        ([(0x100, b"ab"), (0x101, b"c")], "two pieces of the program lie at 0x00000101"),
        ([(0xFFFFFFFF, b"ab")], "the program's 2 B at 0xffffffff do not fit a UF2 file"),
        ([(0, bytes((1 << 24) + 1))], "16777217 B at 0x00000000 do not fit"),
        ([(0, bytes(1 << 24)), (1 << 25, b"a")], "and the program has 65537"),
    ],
)
def test_what_does_not_fit_is_refused(pieces, said):
    with pytest.raises(InputError, match=said):
        uf2.render(pieces, _FAMILY)


@pytest.mark.parametrize(
    ("at", "value", "said"),
    [
        (0, 0, "x: block 1 of 4 does not begin and end as a UF2 block does"),
        (508, 0, "does not begin and end as a UF2 block does"),
        (8, 0x2001, "has the flags 0x2001, not those of a part of the flash with a family"),
        (8, 0, "has the flags 0x0"),
        (12, 0x10000101, "has 256 B at 0x10000101, not a page of 256 B"),
        (16, 477, "has 477 B at 0x10000100"),
        (20, 3, "says that it is block 3 of 4"),
        (24, 5, "says that it is block 1 of 5"),
        (28, 1, "x: is for several families: 0x00000001, 0xe48bff56"),
    ],
)
def test_a_file_that_is_wrong_is_refused(at, value, said):
    content = bytearray(uf2.render(_PIECES, _FAMILY))
    struct.pack_into("<I", content, 512 + at, value)
    with pytest.raises(InputError, match=said):
        uf2.parse(bytes(content), where="x")


@pytest.mark.parametrize("length", [0, 1, 511, 513, 4 * 512 - 1])
def test_a_file_of_another_length_is_refused(length):
    content = uf2.render(_PIECES, _FAMILY)[:length].ljust(length, b"x")
    with pytest.raises(InputError, match=f"x: has {length} B; a UF2 file is made of blocks of 512"):
        uf2.parse(content, where="x")


@pytest.mark.parametrize("family", [None, "RP2040", True, 0, -1, 1 << 32])
def test_a_board_must_name_its_family(family):
    board = dataclasses.replace(boards.load("rpi_pico"), flash={"uf2": {"family": family}})
    with pytest.raises(InputError, match=r"board rpi_pico: flash\.uf2\.family is .*; it must be a"):
        uf2.family(board)
