"""Port rp2350, run as it is in a model of the chip's registers: no emulator knows this chip."""

import random

import pytest

from edgeasr import boards
from tests.boards.rp2350 import Rp2350

_BOARD = boards.load("rpi_pico2")
_PLAIN = bytes(range(0xFD))
_SECONDS = 4.0  # of 64 MHz, as Chip.run() has them


@pytest.fixture
def chip(echo) -> Rp2350:
    """A chip whose program waits for bytes, as it does once ear_port_init() is over."""
    chip = Rp2350(echo(_BOARD.name)[1].elf)
    chip.run(lambda: chip.asleep, 0.05)
    return chip


def _converse(chip: Rp2350, data: bytes, count: int = 0) -> bytes:
    wanted = len(chip.line.heard) + (count or len(data))
    chip.say(data)
    chip.run(lambda: len(chip.line.heard) >= wanted, _SECONDS)
    return bytes(chip.line.heard[-(count or len(data)) :])


def test_clocks_are_as_the_board_says(chip):
    assert chip.sys_hz == _BOARD.constants["cpu_hz"]
    assert chip.ref_hz == 12_000_000
    assert chip.baud == pytest.approx(_BOARD.constants["baud"], rel=0.001)


def test_a_byte_alone_is_heard_though_it_is_below_the_fifo_s_level(chip):
    assert _converse(chip, b"x") == b"x"


def test_every_byte_value_comes_back(chip):
    assert _converse(chip, _PLAIN) == _PLAIN
    assert not chip.line.lost


def test_a_burst_in_the_announced_window_loses_nothing(chip):
    data = bytes(random.Random(2350).choices(_PLAIN, k=4000))
    for at in range(0, len(data), _BOARD.rx_bytes):
        piece = data[at : at + _BOARD.rx_bytes]
        assert _converse(chip, piece) == piece
    assert not chip.line.lost


def test_ticks_are_microseconds(chip):
    first = int.from_bytes(_converse(chip, b"\xff", 5)[1:], "little")
    chip.wait(0.1 * chip.sys_hz / 64e6)
    second = int.from_bytes(_converse(chip, b"\xff", 5)[1:], "little")
    assert second - first == pytest.approx(100_000, rel=0.01)
