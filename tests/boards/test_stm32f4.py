"""Port stm32f4, run as it is in a model of the chip's registers: QEMU has no clocks and no I2S."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from edgeasr import boards, toolchain
from tests.boards.chip import CYCLES_HZ
from tests.boards.conftest import need_tools, write_echo
from tests.boards.stm32f4xx import Stm32
from tests.verify.microphone.test_microphone import _expected as decimated

_BOARDS = [
    name
    for name in boards.names()
    if boards.load(name).port.name == "stm32f4" and not boards.load(name).simulated
]
_PLAIN = bytes(range(0xFD))


@pytest.fixture(params=_BOARDS)
def board(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def listening(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that builds the firmware which sends what the microphone hears."""
    made: dict[str, Path] = {}

    def build(board: str) -> Path:
        need_tools(board)
        if board not in made:
            folder = tmp_path_factory.mktemp(board) / "microphone"
            made[board] = toolchain.build(write_echo(board, folder, "microphone.c").folder).elf
        return made[board]

    return build


def _chip(elf: Path, board: str) -> Stm32:
    facts = boards.load(board)
    microphone = facts.microphone.constants if facts.microphone else {}
    return Stm32(
        elf,
        family=facts.constants["family"],
        hse_hz=facts.constants["hse_hz"],
        bypass=bool(facts.constants["hse_bypass"]),
        own_divider=bool(microphone.get("own_divider")),
    )


def _start(echo: Callable, board: str, **changed: object) -> Stm32:
    """Run a chip until it waits for bytes, as it does once ear_port_init() is over."""
    chip = _chip(echo(board)[1].elf, board)
    for name, value in changed.items():
        setattr(chip.clock, name, value)
    chip.run(lambda: chip.asleep, 0.1)
    return chip


def _converse(chip: Stm32, data: bytes) -> bytes:
    wanted = len(chip.uarte.heard) + len(data)
    chip.uarte.say(data)
    chip.run(lambda: len(chip.uarte.heard) >= wanted, 0.2)
    return bytes(chip.uarte.heard[-len(data) :])


def _ticks(chip: Stm32) -> int:
    heard = len(chip.uarte.heard)
    chip.uarte.say(b"\xff")
    chip.run(lambda: len(chip.uarte.heard) == heard + 5, 0.01)
    return int.from_bytes(chip.uarte.heard[heard + 1 :], "little")


@pytest.mark.parametrize(
    ("changed", "core_hz"),
    [({}, 168_000_000), ({"hse_hz": 0}, 168_000_000), ({"broken": True}, 16_000_000)],
    ids=["crystal", "no crystal", "no PLL"],
)
def test_clocks_line_and_ticks_are_those_of_the_board_file(echo, board, changed, core_hz):
    facts = boards.load(board)
    chip = _start(echo, board, **changed)
    assert chip.clock.core_hz == core_hz
    assert chip.clock.values[chip.clock.CR] >> 16 & 1 == (changed.get("hse_hz", 1) != 0)
    assert chip.uarte.baud == pytest.approx(facts.constants["baud"], rel=0.01)
    assert chip.timer.hz == facts.ticks_hz
    first, began = _ticks(chip), chip.now
    chip.wait(0.3)
    passed = (_ticks(chip) - first) % (1 << 32) / facts.ticks_hz
    assert passed == pytest.approx((chip.now - began) / CYCLES_HZ, abs=2e-6)
    assert _converse(chip, _PLAIN) == _PLAIN
    assert not chip.uarte.overrun


def test_the_line_has_the_pins_of_the_board_file(echo, board):
    constants = boards.load(board).constants
    chip = _start(echo, board)
    for pin in ("uart_tx", "uart_rx"):
        where = constants[f"{pin}_gpio_base"], constants[f"{pin}_pin"]
        assert chip.gpio.alternate(*where) == constants["uart_alternate"]


def test_a_crystal_where_another_chip_should_drive_is_not_taken(echo):
    chip = _start(echo, "nucleo_f446re", bypass=False)
    assert not chip.clock.values[chip.clock.PLLCFGR] >> 22 & 1
    assert chip.clock.core_hz == 168_000_000


def test_an_stm32f7_has_its_caches_on_and_nothing_in_them(echo):
    scs = _start(echo, "stm32f746g_disco").scs
    assert scs.values[scs.CCR] >> 16 == 3
    assert len(scs.cleared) == scs.SETS * scs.WAYS


def _heard(chip: Stm32, samples: int) -> list[int]:
    chip.run(lambda: len(chip.uarte.heard) >= 2 * samples, 1.0)
    return np.frombuffer(bytes(chip.uarte.heard[: 2 * samples]), "<i2").tolist()


def test_pulse_density_becomes_samples_at_16_khz(listening):
    board = boards.load("stm32f4_discovery")
    facts = board.microphone.constants
    bits = np.random.default_rng(7).integers(0, 2, 64 * 320)
    bits[64 * 90 : 64 * 110] = 1
    chip = _chip(listening(board.name), board.name)
    words = np.packbits(bits.astype(np.uint8)).view(">u2").tolist()
    chip.spi.sound = iter([*words, *([0x5555] * 100_000)])

    assert _heard(chip, 300) == decimated(bits, facts["gain_bits"])[:300].tolist()
    assert chip.spi.bit_hz == 64 * 16_000
    # MP45DT02 data sheet, table 4
    assert 1_000_000 <= chip.spi.bit_hz <= 3_250_000
    for pin in ("clock", "data"):
        assert chip.gpio.alternate(facts[f"{pin}_gpio_base"], facts[f"{pin}_pin"]) == 5
    # The line may interrupt the filter.
    assert chip.scs.priorities[14] > chip.scs.priorities.get(38, 0)


def _frames(values: list[int]) -> Iterator[int]:
    """Left channel, then a right one that is other, each 24 bits of 32, the upper word first."""
    for value in values:
        for channel in (value << 8 & 0xFFFFFFFF, 0x12345600):
            yield channel >> 16
            yield channel & 0xFFFF


def test_i2s_becomes_samples_at_16_khz(listening):
    board = boards.load("nucleo_f446re")
    facts = board.microphone.constants
    rng = np.random.default_rng(8)
    values = [*rng.integers(-(1 << 19), 1 << 19, 250).tolist(), *[(1 << 23) - 1, -(1 << 23)] * 25]
    chip = _chip(listening(board.name), board.name)
    chip.spi.sound = itertools.chain(_frames(values), itertools.repeat(0))

    wanted = [max(-32768, min(32767, v >> (8 - facts["gain_bits"]))) for v in values]
    assert _heard(chip, 300) == wanted
    assert chip.spi.bit_hz == 64 * 16_000
    assert chip.spi.values[chip.spi.I2SCFGR] & 0b111 == 0b011, "24 bits in channels of 32"
    for pin in ("clock", "data", "select"):
        assert chip.gpio.alternate(facts[f"{pin}_gpio_base"], facts[f"{pin}_pin"]) == 5
