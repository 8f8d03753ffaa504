"""What the boot ROMs of the Picos look for: it is where, and as, their datasheets have it."""

import dataclasses
import json
import random
import struct
import subprocess
import zlib
from pathlib import Path

import pytest

from edgeasr import boards, runners, toolchain
from edgeasr.errors import InputError, LinkError, ToolError
from edgeasr.runners import rp2040js
from edgeasr.runners.child import spawn
from edgeasr.toolchain import elf, npm, require, uf2
from tests.boards.conftest import need_tools, write_echo

_INMP441 = Path(__file__).with_name("inmp441.mjs")
_FLASH = 0x10000000
_RAM = range(0x20000000, 0x20082000)
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _flash(built) -> bytes:
    ((address, content), *_) = elf.image(built.elf)
    assert address == _FLASH
    return content


def _boot_rom_crc32(content: bytes) -> int:
    """Highest bit first, not inverted: zlib's, of bytes and of a result reversed."""
    crc = zlib.crc32(content.translate(_REVERSED)) ^ 0xFFFFFFFF
    return int(f"{crc:032b}"[::-1], 2)


def _check_vectors(content: bytes, board: str, at: int) -> None:
    stack, reset, _, fault = struct.unpack_from("<4I", content, at)
    irq = boards.load(board).constants["uart_rx_irq"]
    (received,) = struct.unpack_from("<I", content, at + 4 * (16 + irq))
    assert stack in _RAM and stack % 8 == 0
    for handler in (reset, fault, received):
        assert handler & 1, "a handler is Thumb code"
        assert _FLASH + at < handler < _FLASH + len(content)


def test_the_rp2040_starts_by_a_boot_stage_with_its_crc(echo):
    content = _flash(echo("rpi_pico")[1])

    assert struct.unpack_from("<I", content, 252)[0] == _boot_rom_crc32(content[:252])
    _check_vectors(content, "rpi_pico", 256)


def test_the_crc_is_that_of_changed_code_too(echo, tmp_path):
    """It is worked out by each build, of what the assembler made."""
    made, built = echo("rpi_pico")
    source = made.folder / "port" / "boot_stage2.S"
    kept = source.read_text()
    before = _flash(built)[:256]
    source.write_text(kept.replace("CLOCK_DIVIDER, 4", "CLOCK_DIVIDER, 6"))
    try:
        for command in (
            ["cmake", "-S", made.folder, "-B", tmp_path / "changed", "-G", "Ninja"],
            ["cmake", "--build", tmp_path / "changed"],
        ):
            subprocess.run(command, check=True, capture_output=True)
    finally:
        source.write_text(kept)
    ((_, content), *_) = elf.image(tmp_path / "changed" / "echo.elf")

    assert content[:252] != before[:252]
    assert content[252:256] != before[252:]
    assert struct.unpack_from("<I", content, 252)[0] == _boot_rom_crc32(content[:252])


def test_the_rp2350_finds_an_image_definition_behind_the_vectors(echo):
    content = _flash(echo("rpi_pico2")[1])

    _check_vectors(content, "rpi_pico2", 0)
    at = content.index(bytes.fromhex("d3deffff"))
    assert at % 4 == 0 and at + 20 <= 4096
    # RP2350 datasheet, 5.9.5.1: the least block for Arm
    assert content[at : at + 20].hex(" ", 4) == "d3deffff 42012110 ff010000 00000000 793512ab"


@pytest.mark.parametrize(("board", "family"), [("rpi_pico", 0xE48BFF56), ("rpi_pico2", 0xE48BFF59)])
def test_the_uf2_is_what_the_program_puts_into_flash(echo, board, family):
    _, built = echo(board)
    assert built.uf2 == built.elf.with_suffix(".uf2")

    found, pages = uf2.parse(built.uf2.read_bytes(), where=str(built.uf2))

    assert found == family
    memory = b"".join(page for _, page in pages)
    assert [at for at, _ in pages] == list(range(_FLASH, _FLASH + len(memory), 256))
    for address, content in elf.image(built.elf):
        at = address - _FLASH
        assert memory[at : at + len(content)] == content


def test_clocks_and_line_are_as_the_board_says(echo):
    """By rp2040js's model of the oscillator, the PLL, the clocks and the UART's divider."""
    made, built = echo("rpi_pico")
    board = boards.load("rpi_pico")
    with runners.start(made.folder, board, built.elf) as running:
        running.link.write(b"x")
        assert running.link.read(60) == b"x"
        said = (made.folder / "build" / "runner.log").read_text()
    clock, baud = said.split("line open: clk_sys ")[1].split("\n")[0].split(" Hz, ")
    assert int(clock) == board.constants["cpu_hz"]
    assert int(baud.removesuffix(" baud")) == pytest.approx(board.constants["baud"], rel=0.005)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({0x10: 1}, "the boot ROM would not start it: the CRC-32 of the second boot stage is 0x"),
        ({0xFF: 1}, "and its last word is 0x"),
    ],
)
def test_a_boot_stage_that_is_wrong_starts_nothing(echo, tmp_path, changes, said):
    need_tools("rpi_pico")
    _, built = echo("rpi_pico")
    program = tmp_path / "wrong.elf"
    content = bytearray(_flash(built))
    for at, difference in changes.items():
        content[at] ^= difference
    family = uf2.family(boards.load("rpi_pico"))
    program.with_suffix(".uf2").write_bytes(uf2.render([(_FLASH, bytes(content))], family))

    with (
        pytest.raises((LinkError, ToolError), match=said),
        runners.start(tmp_path, boards.load("rpi_pico"), program) as running,
    ):
        while True:
            running.link.read(60)


@pytest.mark.parametrize(
    ("byte", "said"),
    [
        (0xFD, "Write to undefined address: f0000000: pc 0x[0-9a-f]{8} lr 0x[0-9a-f]{8}"),
        (0xFE, "Read from invalid memory address: 1ffff[0-9a-f]{3}: pc"),
    ],
    ids=["bus fault", "stack overflow"],
)
def test_a_fault_ends_the_firmware_in_a_sentence(echo, byte, said):
    made, built = echo("rpi_pico")
    with (
        runners.start(made.folder, boards.load("rpi_pico"), built.elf) as running,
        pytest.raises(LinkError, match=f"the firmware stopped: fault: {said}"),
    ):
        running.link.write(bytes([byte]))
        while True:
            running.link.read(60)


@pytest.mark.parametrize(
    ("pieces", "family", "said"),
    [
        ([(_FLASH, b"a")], 0xE48BFF59, "is for family 0xe48bff59, board rpi_pico is of 0xe48bff56"),
        (
            [(_FLASH + 0x200000, b"a")],
            0xE48BFF56,
            "writes to 0x10200000; the flash of board rpi_pi",
        ),
        ([(0x20000000, b"a")], 0xE48BFF56, "the flash of board rpi_pico is 0x10000000 to 0x102000"),
    ],
)
def test_a_uf2_for_another_board_is_refused(tmp_path, pieces, family, said):
    image = tmp_path / "other.uf2"
    image.write_bytes(uf2.render(pieces, family))
    with pytest.raises(InputError, match=said):
        runners.start(tmp_path, boards.load("rpi_pico"), tmp_path / "other.elf")


def test_a_runner_that_is_missing_or_another_is_told(echo, monkeypatch, tmp_path):
    made, built = echo("rpi_pico")
    board = boards.load("rpi_pico")
    monkeypatch.setenv("EDGEASR_RP2040JS", str(tmp_path))
    with pytest.raises(
        ToolError, match=r"no npm package rp2040js.*install: tools/setup test, in a clone"
    ):
        runners.start(made.folder, board, built.elf)
    (tmp_path / "package.json").write_text('{"version": "0.9.0"}')
    with pytest.raises(ToolError, match=rf"rp2040js 0\.9\.0; .*npm install .*{npm.VERSION}"):
        runners.start(made.folder, board, built.elf)
    monkeypatch.delenv("EDGEASR_RP2040JS")
    with pytest.raises(InputError, match=r"other\.uf2: not found; .*edgeasr build"):
        runners.start(made.folder, board, built.elf.with_name("other.elf"))
    odd = dataclasses.replace(board, runner_options={"machine": "x"})
    with pytest.raises(InputError, match=r"runner\.machine is unknown"):
        runners.start(made.folder, odd, built.elf)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match=r"node: not found on PATH.*apt-get install nodejs"):
        runners.start(made.folder, board, built.elf)


def test_the_locked_package_is_the_one_that_runs():
    lock = Path(__file__).parents[2] / "tools" / "npm" / "package-lock.json"
    packages = json.loads(lock.read_text())["packages"]
    assert packages[""]["dependencies"] == {"rp2040js": npm.VERSION}
    held = packages["node_modules/rp2040js"]
    assert held["version"] == npm.VERSION
    assert held["integrity"].startswith("sha512-")


def test_a_microphone_is_heard_by_i2s(tmp_path):
    """PIO, DMA and ring in rp2040js, with an INMP441: each sample, in order, at 16 kHz."""
    need_tools("rpi_pico")
    made = write_echo("rpi_pico", tmp_path / "made", "microphone.c")
    image = toolchain.build(made.folder).uf2
    board = boards.load("rpi_pico")
    facts = board.microphone.constants
    rng = random.Random(5)
    quiet = [rng.randrange(-(1 << 18), 1 << 18) for _ in range(2000)]
    loud = [rng.randrange(-(1 << 23), 1 << 23) for _ in range(8000)]
    said = [(1 << 23) - 1, -(1 << 23), 1, -1, *quiet, *loud]
    samples, rate = tmp_path / "samples", tmp_path / "rate"
    samples.write_bytes(b"".join(struct.pack("<I", value & 0xFFFFFF) for value in said))
    pins = f"{facts['clock_pin']} {facts['clock_pin'] + 1} {facts['data_pin']}"
    script = rp2040js.SCRIPT
    heard = b""

    with spawn(
        [require("node"), script, npm.rp2040js(), image],
        tmp_path / "log",
        line_as=lambda socket: (str(socket), _INMP441, f"{pins} {rate} {samples}"),
    ) as running:
        while len(heard) < 2 * 9000:
            piece = running.link.read(60)
            assert piece, "silent"
            heard += piece

    # The line begins within a frame, so that one has nothing.
    words = struct.unpack(f"<{len(heard) // 2}h", heard[: len(heard) & ~1])[1:]
    shift = 8 - facts["gain_bits"]
    expected = [max(-32768, min(32767, value >> shift)) for value in said]
    assert list(words[:9000]) == expected[: len(words[:9000])]
    assert float(rate.read_text()) == pytest.approx(16000, rel=0.01)
