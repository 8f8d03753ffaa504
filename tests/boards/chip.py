"""A chip with a Cortex-M in Unicorn: memories, interrupts, sleep, time; its peripherals are Python.

A chip is a class of its own for each kind, with pages of registers that act as its document says.
Interrupts do not nest. Time is counted in cycles of CYCLES_HZ, one an instruction.
"""

import struct
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tests.conftest import need_package

unicorn = need_package("unicorn")
arm = need_package("unicorn.arm_const")
elffile = need_package("elftools.elf.elffile")

CYCLES_HZ = 64_000_000
SLICE = 64  # cycles between looks at peripherals
_PAGE = 0x1000


class Page:
    """Plain registers; a subclass gives those that act. due: the cycle of what happens next."""

    BASE = 0
    PLAIN: frozenset[int] = frozenset()

    def __init__(self, chip: "Chip") -> None:
        self.chip = chip
        self.values = dict.fromkeys(self.PLAIN, 0)
        self.due: int | None = None

    def read(self, offset: int) -> int:
        assert offset in self.values, f"{type(self).__name__} has no register {offset:#x} to read"
        return self.values[offset]

    def write(self, offset: int, value: int) -> None:
        assert offset in self.values, f"{type(self).__name__} has no register {offset:#x}"
        self.values[offset] = value
        self.written(offset)

    def written(self, offset: int) -> None:
        """A plain register was written."""

    def advance(self) -> None:
        """Do what is due by now."""


class Scs(Page):
    """The core's own registers that all firmware uses: NVIC, VTOR, CPACR (Armv7-M B3)."""

    BASE = 0xE000E000
    PLAIN = frozenset({0xD08, 0xD88})

    enabled = 0

    def write(self, offset: int, value: int) -> None:
        if offset in (0x100, 0x104):  # NVIC_ISER
            self.enabled |= value << 8 * (offset - 0x100)
        elif offset in (0x180, 0x184):  # NVIC_ICER
            self.enabled &= ~(value << 8 * (offset - 0x180))
        else:
            super().write(offset, value)


class Line(Protocol):
    """What a chip's UART is to those outside. heard: what the chip sent."""

    heard: bytearray


class Chip(ABC):
    """A chip with a program in its flash, at the moment of reset.

    A subclass adds its pages, and sets line, scs and timed: the pages in which something falls due.
    vectors: where the table is that the core, or its boot ROM, begins with.
    """

    # What an exception pushes (Armv7-M B1.5.6, with room for the FPU's registers), and a page that
    # no chip here has, where handlers return to.
    _FRAME_BYTES = 0x68
    _RETURN = 0x1FFE0000

    line: Line
    scs: Scs
    timed: tuple[Page, ...] = ()

    def __init__(
        self, program: Path, *, model: int, flash: range, ram: range, vectors: int
    ) -> None:
        self.now = 0
        self.asleep = False
        self._before: object | None = None
        self.core = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        self.core.ctl_set_cpu_model(model)
        self.core.mem_map(flash.start, len(flash), unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC)
        self.core.mem_map(ram.start, len(ram), unicorn.UC_PROT_READ | unicorn.UC_PROT_WRITE)
        self.core.mem_map(self._RETURN, _PAGE, unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC)
        self._load(program)
        stack, reset = struct.unpack("<2I", self.core.mem_read(vectors, 8))
        self.core.reg_write(arm.UC_ARM_REG_SP, stack)
        self.core.reg_write(arm.UC_ARM_REG_PC, reset)

    def page(self, kind: type[Page]) -> Page:
        made = kind(self)
        self.core.mmio_map(
            kind.BASE,
            _PAGE,
            lambda _, offset, size, __: made.read(offset),
            None,
            lambda _, offset, size, value, __: made.write(offset, value),
            None,
        )
        return made

    def _load(self, program: Path) -> None:
        with program.open("rb") as stream:
            for segment in elffile.ELFFile(stream).iter_segments("PT_LOAD"):
                self.core.mem_write(segment["p_paddr"], segment.data())
                self._watch(segment["p_paddr"], segment.data())

    def _watch(self, origin: int, data: bytes) -> None:
        """See sleep begin, and interrupts be let in, at the instructions that do so."""
        for at in range(0, len(data) - 1, 2):
            hook = {b"\x30\xbf": self._sleep, b"\x62\xb6": self._let_in}.get(data[at : at + 2])
            if hook is not None:  # WFI; CPSIE i, which has taken effect at the next one
                address = origin + at + (2 if hook == self._let_in else 0)
                self.core.hook_add(unicorn.UC_HOOK_CODE, hook, begin=address, end=address)

    def _sleep(self, *_: object) -> None:
        self.asleep = True

    def _let_in(self, *_: object) -> None:
        if self._pending() is not None:
            self.core.emu_stop()

    def run(self, until: Callable[[], bool], seconds: float) -> None:
        """Run until a condition holds; it must within that many seconds of the chip's time."""
        end = self.now + int(seconds * CYCLES_HZ)
        while not until():
            assert self.now < end, f"waited {seconds} s; heard {bytes(self.line.heard)!r}"
            self.step(end)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + round(seconds * CYCLES_HZ)
        while self.now < end:
            self.step(end)

    def step(self, end: int) -> None:
        """Go on by a slice of time, or sleep until something happens."""
        for one in self.timed:
            while one.due is not None and one.due <= self.now:
                one.advance()
        pending = self._pending()
        if pending is not None:
            self.asleep = False
            if self._before is None and not self.core.reg_read(arm.UC_ARM_REG_PRIMASK):
                self._enter(pending)
        if self.asleep:
            due = (one.due for one in self.timed if one.due is not None)
            self.now = max(min(due, default=end), self.now + 1)
        else:
            self._execute()

    @abstractmethod
    def _pending(self) -> int | None:
        """Return the number of the interrupt to be taken, if any."""

    def _enter(self, number: int) -> None:
        self._before = self.core.context_save()
        stack = self.core.reg_read(arm.UC_ARM_REG_SP) - self._FRAME_BYTES & ~7
        self.core.mem_write(stack, bytes(self._FRAME_BYTES))
        self.core.reg_write(arm.UC_ARM_REG_SP, stack)
        self.core.reg_write(arm.UC_ARM_REG_LR, self._RETURN | 1)
        slot = self.scs.values[0xD08] + 4 * (16 + number)
        (handler,) = struct.unpack("<I", self.core.mem_read(slot, 4))
        assert handler & 1, f"interrupt {number} has no handler"
        self.core.reg_write(arm.UC_ARM_REG_PC, handler)

    def _execute(self) -> None:
        at = self.core.reg_read(arm.UC_ARM_REG_PC)
        self.core.emu_start(at | 1, self._RETURN, count=SLICE)
        self.now += SLICE
        if self.core.reg_read(arm.UC_ARM_REG_PC) == self._RETURN:
            self.core.context_restore(self._before)
            self._before = None
