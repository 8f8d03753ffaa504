"""An RP2350 at the level of its registers, enough to run the firmware of port rp2350 on its line.

The core is Unicorn's Cortex-M33; resets, crystal, PLL, clocks, ticks, timer, pads and UART act as
the RP2350 datasheet says, by the sections named here. What firmware must not do (touch a block that
is in reset, run a clock from a source that stands still, use a pin that is isolated) is an
AssertionError. PIO and DMA are rp2040js's: see test_pico.py. A cycle is an instruction.
"""

from collections import deque
from pathlib import Path

from tests.boards.chip import SLICE, Chip, Scs, arm

FLASH = range(0x10000000, 0x10400000)  # 2.2.2
RAM = range(0x20000000, 0x20082000)  # 2.2.3
_PERIPHERALS = range(0x40000000, 0x40120000)
CRYSTAL_HZ = 12_000_000
_RING_HZ = 11_000_000  # 8.3: what runs until the crystal does
_DELAY = 2000  # cycles until a crystal or a PLL is stable

_CLOCKS, _RESETS, _IO, _PADS = 0x40010000, 0x40020000, 0x40028000, 0x40038000
_XOSC, _PLL, _UART, _TIMER, _TICKS = 0x40048000, 0x40050000, 0x40070000, 0x400B0000, 0x40108000
# 7.5.3: bit of RESET
_RESET_BITS = {_IO: 6, _PADS: 9, _PLL: 14, _TIMER: 23, _UART: 26}
_ALL_RESETS = (1 << 29) - 1
_ISOLATED = 1 << 8  # 9.11.3
_UART_IRQ = 33  # 3.2


class Line:
    """The UART's ends of the line. heard: what the chip sent. lost: what met a full FIFO."""

    FIFO_BYTES = 32

    def __init__(self) -> None:
        self.heard = bytearray()
        self.lost = bytearray()
        self.coming: deque[int] = deque()
        self.fifo: deque[int] = deque()
        self.arrives: int | None = None
        self.last = 0


class Rp2350(Chip):
    """The chip with a program in its flash, as the boot ROM starts it."""

    def __init__(self, program: Path) -> None:
        model = arm.UC_CPU_ARM_CORTEX_M33
        super().__init__(program, model=model, flash=FLASH, ram=RAM, vectors=FLASH.start)
        self.core.mmio_map(
            _PERIPHERALS.start,
            len(_PERIPHERALS),
            lambda _, offset, size, __: self._read(_PERIPHERALS.start + offset),
            None,
            lambda _, offset, size, value, __: self._write(_PERIPHERALS.start + offset, value),
            None,
        )
        self.scs = self.page(Scs)
        self.line = Line()
        self.values = {_RESETS: _ALL_RESETS, _PLL + 4: 0x2D, _CLOCKS + 0x30: 0, _CLOCKS + 0x3C: 0}
        self.values |= {_PADS + 4 + 4 * pin: 0x116 for pin in range(48)}
        self.since: dict[int, int] = {}
        self.times = 0.0  # microseconds

    def _get(self, address: int) -> int:
        return self.values.get(address, 0)

    def _touch(self, block: int) -> None:
        bit = _RESET_BITS.get(block)
        assert bit is None or not self._get(_RESETS) >> bit & 1, f"{block:#x} is in reset"

    def _read(self, address: int) -> int:
        block, offset = address & ~0x3FFF, address & 0xFFF
        self._touch(block)
        computed = {
            _RESETS + 8: lambda: ~self._get(_RESETS) & _ALL_RESETS,
            _XOSC + 4: lambda: int(self.crystal) << 31,
            _PLL: lambda: self._get(_PLL) | int(self.locked) << 31,
            _CLOCKS + 0x38: lambda: 1 << (self._get(_CLOCKS + 0x30) & 3),
            _CLOCKS + 0x44: lambda: 1 << (self._get(_CLOCKS + 0x3C) & 1),
            _TIMER + 0x28: lambda: int(self.times) & 0xFFFFFFFF,
            _UART: self._take,
            _UART + 0x18: lambda: int(not self.line.fifo) << 4,
        }.get(block + offset)
        return computed() if computed else self._get(block + offset)

    def _write(self, address: int, value: int) -> None:
        """2.1.3: as it is, or by the aliases that turn, set or clear bits."""
        block, offset = address & ~0x3FFF, address & 0xFFF
        self._touch(block)
        register, before = block + offset, self._get(block + offset)
        alias = address >> 12 & 3
        after = (value, before ^ value, before | value, before & ~value)[alias]
        self.values[register] = after
        if register == _XOSC or (register == _PLL + 4 and (before ^ after) & 0x21):
            self.since[register] = self.now
        elif register == _CLOCKS + 0x30:
            assert after & 3 != 2 or self.crystal, "clk_ref from a crystal that is not stable"
        elif register == _CLOCKS + 0x3C:
            # 8.1.4: the auxiliary source does not change without a glitch
            assert not before & after & 1 or before >> 5 == after >> 5
            assert not after & 1 or (after >> 5 & 7 == 0 and self.pll_hz), "clk_sys stands still"
        elif register == _UART:
            assert self._get(_UART + 0x30) & 0x101 == 0x101, "the UART does not send"
            assert self._pin(0), "GP0 is not the UART's"
            self.line.heard.append(value & 0xFF)

    def _pin(self, pin: int) -> bool:
        pad = self._get(_PADS + 4 + 4 * pin)
        right = self._get(_IO + 4 + 8 * pin) & 0x1F == 2 and not pad & _ISOLATED
        return right and (pin != 1 or bool(pad & 1 << 6))

    @property
    def crystal(self) -> bool:
        """8.2: enabled, for 1 to 15 MHz, and given its time."""
        on = self._get(_XOSC) == 0xFABAA0 and self._get(_XOSC + 0xC) >= 47
        return on and self.now - self.since[_XOSC] > _DELAY

    @property
    def locked(self) -> bool:
        """8.6: the VCO has its reference, power, and a factor in its range, and had some time."""
        powered = not self._get(_PLL + 4) & 0x21
        vco_hz = CRYSTAL_HZ * self._get(_PLL + 8)
        good = self.crystal and self._get(_PLL) & 0x3F == 1 and 750e6 <= vco_hz <= 1600e6
        return bool(powered and good and self.now - self.since[_PLL + 4] > _DELAY)

    @property
    def pll_hz(self) -> float:
        first, second = self._get(_PLL + 0xC) >> 16 & 7, self._get(_PLL + 0xC) >> 12 & 7
        if not self.locked or self._get(_PLL + 4) & 8 or not first or not second:
            return 0.0
        return CRYSTAL_HZ * self._get(_PLL + 8) / first / second

    @property
    def ref_hz(self) -> float:
        return CRYSTAL_HZ if self._get(_CLOCKS + 0x30) & 3 == 2 else _RING_HZ

    @property
    def sys_hz(self) -> float:
        return self.pll_hz if self._get(_CLOCKS + 0x3C) & 1 else self.ref_hz

    @property
    def baud(self) -> float:
        """12.1.7.1, of clk_peri, which is clk_sys."""
        assert self._get(_CLOCKS + 0x48) == 1 << 11, "clk_peri does not run from clk_sys"
        divider = self._get(_UART + 0x24) + self._get(_UART + 0x28) / 64
        return self.sys_hz / 16 / divider

    @property
    def byte_cycles(self) -> int:
        return round(10 * self.sys_hz / self.baud)

    def say(self, data: bytes) -> None:
        """Put bytes on the line to the chip; they arrive at the line's rate."""
        assert self._get(_UART + 0x30) & 0x201 == 0x201, "the UART does not receive"
        assert self._get(_UART + 0x2C) == 0x70, "8 bits, no parity, FIFOs"
        assert self._pin(1), "GP1 is not the UART's"
        self.line.coming.extend(data)
        if self.line.arrives is None:
            self.line.arrives = self.now + self.byte_cycles

    def _take(self) -> int:
        assert self.line.fifo, "read from an empty FIFO"
        return self.line.fifo.popleft()

    @property
    def _raised(self) -> bool:
        """12.1.6: as many as the level says, or some, and no other for the time of 32 bits."""
        count, mask = len(self.line.fifo), self._get(_UART + 0x38)
        level = {0: 4, 1: 8, 2: 16, 3: 24, 4: 28}[self._get(_UART + 0x34) >> 3 & 7]
        quiet = count and self.now - self.line.last > 3.2 * self.byte_cycles
        return bool(mask & 1 << 4 and count >= level) or bool(mask & 1 << 6 and quiet)

    def _pending(self) -> int | None:
        raised = self._get(_UART + 0x38) and self._raised and self.scs.enabled >> _UART_IRQ & 1
        return _UART_IRQ if raised else None

    def step(self, end: int) -> None:
        before = self.now
        line = self.line
        while line.arrives is not None and line.arrives <= self.now:
            byte = line.coming.popleft()
            (line.fifo if len(line.fifo) < line.FIFO_BYTES else line.lost).append(byte)
            line.last = line.arrives
            line.arrives = line.arrives + self.byte_cycles if line.coming else None
        pending = self._pending()
        if pending is not None:
            self.asleep = False
            if self._before is None and not self.core.reg_read(arm.UC_ARM_REG_PRIMASK):
                self._enter(pending)
        if self.asleep:
            self.now += SLICE
        else:
            self._execute()
        if self._get(_TICKS + 0x18) & 1:  # 8.5
            cycles_hz = self.ref_hz / self._get(_TICKS + 0x1C)
            self.times += (self.now - before) * cycles_hz / self.sys_hz
