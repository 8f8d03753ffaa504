"""Port nrf52, run as it is in a model of the chip's registers: QEMU has no EasyDMA."""

import contextlib
import itertools
import random
import struct
from collections.abc import Iterator

import numpy as np
import pytest

from edgeasr import audio, boards, client, deploy, paths, runners, speech, toolchain
from edgeasr.audio import catalog
from tests.boards.chip import CYCLES_HZ, elffile
from tests.boards.conftest import need_tools, write_echo
from tests.boards.nrf52840 import RAM, Nrf52840
from tests.sim.test_microphone import _without_dc as without_dc

_BOARDS = [name for name in boards.names() if boards.load(name).port.name == "nrf52"]
_PLAIN = bytes(range(0xFD))
_BURST = 6_000


@pytest.fixture(scope="module")
def listening(tmp_path_factory):
    """Return a function that builds the firmware which sends what the microphone hears."""
    made: dict[str, toolchain.Built] = {}

    def build(board: str) -> toolchain.Built:
        need_tools(board)
        if board not in made:
            folder = tmp_path_factory.mktemp(board) / "microphone"
            made[board] = toolchain.build(write_echo(board, folder, "microphone.c").folder)
        return made[board]

    return build


def _start(built: toolchain.Built, board: str, **changed: object) -> Nrf52840:
    """Run a chip until it waits for bytes, as it does once ear_port_init() is over."""
    chip = Nrf52840(built.elf, boards.load(board).memory["code"].origin)
    chip.clock.crystal = changed.get("crystal", True)
    chip.uicr.values[0x208] = changed.get("approtect", 0xFFFFFFFF)
    chip.run(lambda: chip.asleep, 0.05)
    return chip


@pytest.fixture(params=_BOARDS)
def board(request) -> str:
    return request.param


@pytest.fixture
def chip(board, echo) -> Nrf52840:
    return _start(echo(board)[1], board)


def _converse(chip: Nrf52840, data: bytes, seconds: float = 1.0) -> bytes:
    """Say all at once, and return as many bytes as come back."""
    wanted = len(chip.uarte.heard) + len(data)
    chip.uarte.say(data)
    chip.run(lambda: len(chip.uarte.heard) >= wanted, seconds)
    return bytes(chip.uarte.heard[-len(data) :])


def _symbol(built: toolchain.Built, name: str) -> int:
    with built.elf.open("rb") as stream:
        table = elffile.ELFFile(stream).get_section_by_name(".symtab")
        return table.get_symbol_by_name(name)[0]["st_value"]


def _word(chip: Nrf52840, address: int) -> int:
    return struct.unpack("<I", chip.core.mem_read(address, 4))[0]


def test_every_byte_value_comes_back_at_the_line_s_rate(chip, board):
    assert chip.uarte.baud == pytest.approx(boards.load(board).constants["baud"], rel=0.01)
    assert _converse(chip, _PLAIN) == _PLAIN
    assert not chip.uarte.overrun


def test_a_burst_in_the_announced_window_loses_nothing(chip, board):
    data = bytes(random.Random(52).choices(_PLAIN, k=_BURST))
    window, sent = boards.load(board).rx_bytes, 0
    while len(chip.uarte.heard) < len(data):
        free = min(window - (sent - len(chip.uarte.heard)), len(data) - sent)
        chip.uarte.say(data[sent : sent + free])
        sent += free
        before = len(chip.uarte.heard)
        chip.run(lambda before=before: len(chip.uarte.heard) > before, 0.1)
    assert bytes(chip.uarte.heard) == data
    assert not chip.uarte.overrun


@contextlib.contextmanager
def _finding_nothing(chip: Nrf52840, built: toolchain.Built, function: str) -> Iterator[None]:
    """A function of the port returns 0 for a while, as if the program were busy with a model."""
    start = _symbol(built, function) & ~1
    kept = bytes(chip.core.mem_read(start, 4))
    for code in (struct.pack("<2H", 0x2000, 0x4770), kept):  # movs r0, #0; bx lr
        chip.core.mem_write(start, code)
        chip.core.ctl_remove_cache(start, start + 4)
        if code != kept:
            yield


def test_a_program_that_does_not_read_keeps_the_window_and_what_the_fifo_holds(chip, board, echo):
    window = boards.load(board).rx_bytes
    # One byte more is in the transfer that the full ring leaves unanswered.
    data = bytes(i % 0xFD for i in range(window + 1 + chip.uarte.FIFO_BYTES))
    with _finding_nothing(chip, echo(board)[1], "ear_port_read"):
        chip.uarte.say(data + b"lost")
        chip.run(lambda: not chip.uarte.coming, 0.1)
        assert not chip.uarte.heard
    chip.run(lambda: len(chip.uarte.heard) >= len(data), 0.1)
    assert bytes(chip.uarte.heard) == data
    assert chip.uarte.overrun == b"lost"
    assert _converse(chip, _PLAIN) == _PLAIN


def _ticks(chip: Nrf52840) -> int:
    heard = len(chip.uarte.heard)
    chip.uarte.say(b"\xff")
    chip.run(lambda: len(chip.uarte.heard) == heard + 5, 0.01)
    answer = chip.uarte.heard[heard:]
    assert answer[:1] == b"\xff"
    return int.from_bytes(answer[1:], "little")


def test_what_is_sent_waits_for_the_line_and_is_not_written_over(chip):
    """Each byte asks for five, so the line out is always behind."""
    count = 200
    chip.uarte.say(b"\xff" * count)
    chip.run(lambda: len(chip.uarte.heard) == 5 * count, 0.1)
    answers = [bytes(answer) for answer in zip(*[iter(chip.uarte.heard)] * 5, strict=True)]
    assert {answer[0] for answer in answers} == {0xFF}
    ticks = [int.from_bytes(answer[1:], "little") for answer in answers]
    steps = {later - sooner for sooner, later in itertools.pairwise(ticks[20:])}
    # Five bytes take 50 us, which are 800 ticks.
    assert steps and all(abs(step - 800) < 20 for step in steps), steps


def test_ticks_go_on_in_sleep_at_the_rate_of_the_board_file(chip, board):
    first, began = _ticks(chip), chip.now
    chip.wait(300)  # 2^32 ticks are 268 s
    passed = ((_ticks(chip) - first) % (1 << 32) + (1 << 32)) / boards.load(board).ticks_hz
    assert passed == pytest.approx((chip.now - began) / CYCLES_HZ, abs=2e-6)


def test_clock_runs_from_the_crystal_and_flash_through_the_cache(chip):
    assert chip.clock.values[0x40C] == 0x00010001
    assert chip.nvmc.values[0x540] == 1


def test_a_crystal_that_does_not_start_is_given_up(board, echo):
    chip = _start(echo(board)[1], board, crystal=False)
    assert 0.02 < chip.now / CYCLES_HZ < 0.021
    assert _converse(chip, _PLAIN) == _PLAIN


@pytest.mark.parametrize(("uicr", "written"), [(0xFFFFFFFF, 0), (0xFFFFFF5A, 0x5A)])
def test_the_debug_port_stays_open_where_uicr_says_so(board, echo, uicr, written):
    """Erratum 249."""
    chip = _start(echo(board)[1], board, approtect=uicr)
    assert chip.clock.values[0x558] == written


def _ramp() -> Iterator[int]:
    """Every 16-bit value, ever again."""
    return (value - 32768 for value in itertools.cycle(range(65536)))


def _microphone(board: str, built: toolchain.Built) -> Nrf52840:
    """Start the firmware that sends what the microphone hears, which is a ramp."""
    chip = Nrf52840(built.elf, boards.load(board).memory["code"].origin)
    chip.pdm.sound = _ramp()
    chip.run(lambda: chip.pdm.due is not None, 0.05)
    return chip


def _samples(chip: Nrf52840) -> list[int]:
    whole = len(chip.uarte.heard) // 2 * 2
    return [value for (value,) in struct.iter_unpack("<h", chip.uarte.heard[:whole])]


@pytest.mark.parametrize("board", ["nano33ble_sense"])
def test_microphone_gives_every_sample_at_16_khz(board, listening):
    chip = _microphone(board, listening(board))
    chip.wait(0.25)
    heard = _samples(chip)
    assert chip.pdm.rate_hz == 16_000
    # The block that is being taken is not there yet, and the one before is being sent.
    assert 4_000 - 2 * 128 <= len(heard) <= 4_000
    assert heard == list(itertools.islice(_ramp(), len(heard)))


def test_microphone_is_set_up_as_the_board_file_says(board, listening):
    facts = boards.load(board).microphone.constants
    pdm = _microphone(board, listening(board)).pdm
    assert (pdm.values[pdm.CLK], pdm.values[pdm.DIN]) == (facts["clock_pin"], facts["data_pin"])
    assert pdm.values[pdm.GAIN_LEFT] == pdm.values[pdm.GAIN_RIGHT] == facts["gain"]
    assert pdm.values[pdm.MODE] >> 1 == facts["right"]
    assert pdm.powered - {facts["clock_pin"], boards.load(board).constants["uart_tx_pin"]} == (
        {facts["power_pin"]} - {0xFFFFFFFF}
    )
    # MP34DT05-A data sheet, table 3
    assert 1_200_000 <= pdm.clock_hz <= 3_250_000


@pytest.mark.parametrize("board", ["nano33ble_sense"])
def test_samples_that_nobody_takes_are_lost_and_counted(board, listening):
    built = listening(board)
    chip = _microphone(board, built)
    kept = boards.load(board).microphone.constants["buffer_samples"]
    with _finding_nothing(chip, built, "ear_port_microphone"):
        chip.wait(1.001)
    lost = _symbol(built, "lost")
    assert _word(chip, lost) == 16_000 // 128 * 128 - kept
    chip.run(lambda: len(chip.uarte.heard) >= 2 * (kept + 512), 1)
    heard, ramp = _samples(chip), list(itertools.islice(_ramp(), 32_000))
    assert heard[:kept] == ramp[:kept]
    # One more block is lost, whose interrupt is what wakes the program.
    after = kept + _word(chip, lost)
    assert heard[kept:] == ramp[after : after + len(heard) - kept]


class _ChipLink:
    """The chip's line, as the client knows lines; the chip runs while somebody waits for it."""

    name, hint = "the modelled nRF52840", "does the model lack something?"

    def __init__(self, chip: Nrf52840) -> None:
        self._chip, self._taken = chip, 0

    def read(self, timeout_s: float) -> bytes:
        heard = self._chip.uarte.heard
        end = self._chip.now + timeout_s * CYCLES_HZ
        while len(heard) == self._taken and self._chip.now < end:
            self._chip.step(round(end))
        data = bytes(heard[self._taken :])
        self._taken = len(heard)
        return data

    def write(self, data: bytes) -> None:
        self._chip.uarte.say(data)

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
    """The zoo's model for this computer and for the chip: (project, program) by board."""
    model = speech.load(paths.zoo() / "digits.tflite")
    made = {}
    for name in ("host", "nrf52840dk"):
        need_tools(name)
        folder = tmp_path_factory.mktemp(name) / "digits"
        exported = deploy.export(model, boards.load(name), folder)
        made[name] = exported, toolchain.build(exported.folder)
    return made


@contextlib.contextmanager
def _host(zoo) -> Iterator[client.Device]:
    exported, built = zoo["host"]
    with runners.start(exported.folder, boards.load("host"), built.elf) as started:
        device = client.Device(started.link)
        device.hello()
        yield device


def test_the_zoo_s_model_hears_on_the_chip_what_it_hears_on_the_host(zoo):
    """The whole firmware: what it sends lies in flash, where EasyDMA does not reach."""
    pcm = np.random.default_rng(52).normal(0, 3000, 16_000).astype(np.int16)
    with _host(zoo) as device:
        theirs = device.clip(pcm)
    built = zoo["nrf52840dk"][1]
    chip = _start(built, "nrf52840dk")
    device = client.Device(_ChipLink(chip))
    assert device.hello().board == "nrf52840dk"
    ours = device.clip(pcm)
    # Memory may be tried where EasyDMA's own is, as nothing is on the way meanwhile.
    first = (_symbol(built, "sending") - RAM.start) // 4
    proof = device.self_test(first, 64, bytes(range(64)))
    assert (proof.next, proof.echo) == (first + 64, bytes(range(64)))
    assert not chip.uarte.overrun
    assert ours.features_crc == theirs.features_crc
    assert ours.output.tolist() == theirs.output.tolist()
    assert ours.frames == theirs.frames == 49


def test_the_zoo_s_model_hears_through_pdm_what_a_stream_gives(zoo, shared_data):
    """A recorded digit, and the scores that the host has of the same sound."""
    clips = catalog.load(shared_data / "digits" / "manifest.csv")
    clip = audio.read_clip(next(clip for clip in clips if clip.split == "test"))
    pcm = np.concatenate([np.zeros(4000, np.int16), clip, np.zeros(16_000, np.int16)])[:24_000]
    with _host(zoo) as device:
        wanted = list(device.stream([without_dc(pcm)], scores=True))

    built = zoo["nrf52840dk"][1]
    chip = _start(built, "nrf52840dk")
    warm_up = 16_000 * 400 // 1000
    chip.pdm.sound = itertools.chain([0] * warm_up, pcm.tolist(), itertools.repeat(0))
    device, got = client.Device(_ChipLink(chip)), []
    with contextlib.closing(device.listen(scores=True, every_s=0.1)) as heard:
        for one in heard:
            if not isinstance(one, client.Level):
                got.append(one)
            elif one.heard >= len(pcm):
                break

    assert _word(chip, _symbol(built, "lost")) == 0
    plain = [
        [(one.values.tobytes(), one.sample) for one in made if isinstance(one, client.Scores)]
        for made in (got, wanted)
    ]
    assert len(plain[1]) > 2
    assert [one for one in plain[0] if one[1] <= len(pcm)] == plain[1]
