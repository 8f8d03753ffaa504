"""What a real board's hardware will find in its flash: the ELF file of the zoo's model, read anew.

Nothing runs here. pyelftools reads the file, so that a mistake that edgeasr's own reading of ELF
files shares with its linker script would show.
"""

import itertools
import struct
from dataclasses import dataclass
from functools import cached_property

import pytest

from edgeasr import boards, deploy, paths, speech, toolchain
from edgeasr.boards import Board, Region
from tests.conftest import need, need_package

elffile = need_package("elftools.elf.elffile")

_REAL = [
    name
    for name in boards.names()
    if not (boards.load(name).simulated or boards.load(name).port.hosted)
]

# Where the vector table must be, from the beginning of memory.code; elsewhere than there only where
# a boot ROM runs something else first: RP2040 Datasheet 2.8.1.3 (the first 256 bytes of flash).
_TABLE_OFFSET = {"rp2040": 0x100}

# Armv7-M Architecture Reference Manual, B1.5.2; Armv6-M has no 4, 5, 6 and 12, and reads none.
_EXCEPTIONS = {
    2: "ear_unexpected",
    3: "ear_fault",
    4: "ear_fault",
    5: "ear_fault",
    6: "ear_fault",
    11: "ear_unexpected",
    12: "ear_unexpected",
    14: "ear_unexpected",
    15: "ear_unexpected",
}
_FIRST_INTERRUPT = 16

# Interrupt numbers as the chips' documents give them, apart from what the board files say.
_INTERRUPTS = {
    # nRF52840 Product Specification 4.2.4: a peripheral's ID is its interrupt
    "nrf52840dk": {2: "ear_port_uarte_interrupt", 29: "ear_port_pdm_interrupt"},
    "nano33ble_sense": {2: "ear_port_uarte_interrupt", 29: "ear_port_pdm_interrupt"},
    # STM32: RM0090 table 61, RM0390 table 38, RM0385 table 46: USART1 and 2, stream 3 of DMA1
    "nucleo_f446re": {38: "ear_port_uart_interrupt", 14: "ear_port_samples_interrupt"},
    "stm32f4_discovery": {38: "ear_port_uart_interrupt", 14: "ear_port_samples_interrupt"},
    "stm32f746g_disco": {37: "ear_port_uart_interrupt"},
    # RP2040 Datasheet 2.3.2 and RP2350 Datasheet 3.2: UART0_IRQ and DMA_IRQ_0
    "rpi_pico": {20: "ear_port_uart_rx_interrupt", 11: "ear_port_dma_interrupt"},
    "rpi_pico2": {33: "ear_port_uart_rx_interrupt", 10: "ear_port_dma_interrupt"},
}


@dataclass(frozen=True)
class Image:
    """A linked program and its board."""

    board: Board
    built: toolchain.Built
    elf: object

    @cached_property
    def symbols(self) -> dict[str, object]:
        table = self.elf.get_section_by_name(".symtab")
        return {symbol.name: symbol for symbol in table.iter_symbols()}

    def address(self, symbol: str) -> int:
        return self.symbols[symbol]["st_value"]

    def loaded(self, address: int, count: int) -> bytes:
        """The bytes that lie in flash at `address` once the program is written."""
        for segment in self.elf.iter_segments("PT_LOAD"):
            at = address - segment["p_paddr"]
            if at >= 0 and at + count <= segment["p_filesz"]:
                return segment.data()[at : at + count]
        raise AssertionError(f"nothing is loaded at {address:#010x}")

    @cached_property
    def vectors(self) -> tuple[int, ...]:
        offset = _TABLE_OFFSET.get(self.board.port.name, 0)
        size = self.symbols["vectors"]["st_size"]
        at = self.board.memory["code"].origin + offset
        return struct.unpack(f"<{size // 4}I", self.loaded(at, size))

    def section(self, name: str) -> Region:
        found = self.elf.get_section_by_name(name)
        return Region(name, found["sh_addr"], found["sh_size"])


@pytest.fixture(scope="module", params=_REAL)
def image(request, tmp_path_factory) -> Image:
    board = boards.load(request.param)
    need("cmake", "ninja", board.compiler.program)
    folder = tmp_path_factory.mktemp(board.name)
    made = deploy.export(speech.load(paths.zoo() / "digits.tflite"), board, folder / "digits")
    built = toolchain.build(made.folder)
    with built.elf.open("rb") as stream:
        yield Image(board, built, elffile.ELFFile(stream))


def _within(inner: Region, outer: Region) -> bool:
    return outer.origin <= inner.origin and inner.end <= outer.end


def test_entry_is_the_reset_handler_of_an_arm_program(image: Image) -> None:
    header = image.elf.header
    assert (header["e_machine"], header["e_type"]) == ("EM_ARM", "ET_EXEC")
    assert image.elf.elfclass == 32 and image.elf.little_endian
    assert header["e_entry"] == image.address("ear_reset")
    floats = "-mfloat-abi=hard" in image.board.compiler.c_flags
    assert bool(header["e_flags"] & 0x400) == floats  # EF_ARM_ABI_FLOAT_HARD


def test_the_core_starts_with_a_stack_in_ram_and_a_reset_handler_in_text(image: Image) -> None:
    stack, reset, *_ = image.vectors
    data = image.board.memory["data"]
    assert data.origin < stack <= data.end
    assert stack % 8 == 0
    assert stack == image.address("ear_stack_top")
    assert reset % 2 == 1, "a core of this kind runs Thumb alone"
    assert _within(Region("reset", reset - 1, 2), image.section(".text"))
    assert reset == image.address("ear_reset")


def test_the_table_is_aligned_as_vtor_needs(image: Image) -> None:
    """Armv7-M B3.2.5: to the power of two that holds the table, and to 128 bytes at least."""
    offset = _TABLE_OFFSET.get(image.board.port.name, 0)
    at = image.board.memory["code"].origin + offset
    assert at == image.address("vectors")
    assert at % max(128, 1 << (4 * len(image.vectors) - 1).bit_length()) == 0


def test_every_exception_has_its_handler(image: Image) -> None:
    held = {n: v for n, v in enumerate(image.vectors[:_FIRST_INTERRUPT]) if n >= 2 and v}
    assert held == {n: image.address(handler) for n, handler in _EXCEPTIONS.items()}


def test_every_interrupt_has_its_handler_in_its_slot(image: Image) -> None:
    names = {
        symbol["st_value"]: name
        for name, symbol in image.symbols.items()
        if symbol["st_info"]["type"] == "STT_FUNC"
    }
    held = {
        number: names[handler]
        for number, handler in enumerate(image.vectors[_FIRST_INTERRUPT:])
        if handler
    }
    assert held == _INTERRUPTS[image.board.name]
    assert image.board.constants["uart_rx_irq"] in held


def test_every_section_lies_in_a_memory_of_the_board(image: Image) -> None:
    taken = []
    for section in image.elf.iter_sections():
        flags, size = section["sh_flags"], section["sh_size"]
        if not (flags & 0x2 and size):  # SHF_ALLOC
            continue
        region = Region(section.name, section["sh_addr"], size)
        inside = [m.name for m in image.board.memory.values() if _within(region, m)]
        assert inside, f"{section.name} at {region.origin:#010x} is in no memory"
        assert (inside != ["code"]) == bool(flags & 0x1), f"{section.name}: written or not"
        taken.append(region)
    assert {".text", ".stack", ".bss"} <= {region.name for region in taken}
    ordered = sorted(taken, key=lambda region: region.origin)
    for low, high in itertools.pairwise(ordered):
        assert low.end <= high.origin, f"{low.name} overlaps {high.name}"


def test_all_that_is_written_to_flash_fits(image: Image) -> None:
    code, written = image.board.memory["code"], 0
    for segment in image.elf.iter_segments("PT_LOAD"):
        if segment["p_filesz"]:
            assert _within(Region("segment", segment["p_paddr"], segment["p_filesz"]), code)
            written += segment["p_filesz"]
    assert image.built.flash_bytes <= written <= code.bytes
    assert image.built.ram_bytes <= image.board.memory["data"].bytes


def test_the_stack_is_lowest_so_that_an_overflow_faults(image: Image) -> None:
    assert image.address("ear_stack_bottom") == image.board.memory["data"].origin
    assert image.section(".stack").bytes == image.board.stack_bytes == image.built.stack_bytes


def test_every_real_board_has_its_interrupts_listed() -> None:
    assert sorted(_INTERRUPTS) == sorted(_REAL)


@pytest.mark.parametrize(
    "image", [name for name in _REAL if boards.load(name).port.name == "nrf52"], indirect=True
)
def test_all_that_easydma_sends_or_fills_is_in_ram(image: Image) -> None:
    for name in ("arrived", "sending", "blocks"):
        symbol = image.symbols[name]
        region = Region(name, symbol["st_value"], symbol["st_size"])
        assert _within(region, image.section(".bss"))
