"""An STM32F407, F446 or F746 at the level of its registers, enough to run port stm32f4 as it is.

The core is the one of nrf52840.py; RCC, flash interface, GPIO, TIM2, a USART, and SPI2 with its
stream of DMA act as ST RM0090 says, by the sections named here, or RM0385 for the F746. What
firmware must not do (use a block without its clock, leave the flash too few wait states, change a
PLL that runs) is an AssertionError.
"""

import struct
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from tests.boards.chip import CYCLES_HZ, Chip, Page, Scs, arm

FLASH = range(0x08000000, 0x08100000)
RAM = range(0x20000000, 0x20020000)
_HSI_HZ = 16_000_000
# RM0090 table 10: with 2.7 to 3.6 V, a wait state for each 30 MHz.
_HZ_A_WAIT_STATE = 30_000_000


class Block(Page):
    """A page whose registers may all be written, and read 0 before."""

    def read(self, offset: int) -> int:
        return self.values.get(offset, 0)

    def write(self, offset: int, value: int) -> None:
        self.values[offset] = value

    @property
    def raises(self) -> bool:
        return False


class Rcc(Block):
    """RCC (7.3) and the flash interface (3.9): clocks that are asked for run, unless broken.

    hse_hz: what is at OSC_IN; 0 for nothing. own_divider: of PLLI2S (RM0390 6.3.23).
    """

    BASE = 0x40023000
    CR, PLLCFGR, CFGR = 0x800, 0x804, 0x808
    AHB1ENR, APB1ENR, APB2ENR, PLLI2SCFGR, ACR = 0x830, 0x840, 0x844, 0x884, 0xC00

    hse_hz = 0
    bypass = False
    broken = False
    own_divider = False

    def read(self, offset: int) -> int:
        value = self.values.get(offset, 0)
        if offset == self.CR:
            hse = value >> 16 & 1 and self.hse_hz and bool(value >> 18 & 1) == self.bypass
            return value | bool(hse) << 17 | self._runs(24) << 25 | self._runs(26) << 27
        if offset == self.CFGR:
            return value | (value & 3) << 2
        return value

    def write(self, offset: int, value: int) -> None:
        held = self.values.get(self.CR, 0)
        assert offset != self.PLLCFGR or not held >> 24 & 1, "the PLL runs"
        assert offset != self.PLLI2SCFGR or not held >> 26 & 1, "the PLL of I2S runs"
        self.values[offset] = value
        if offset == self.CFGR and value & 3 == 2:
            assert self._runs(24), "the PLL does not run"
            needed = (self.pll_hz - 1) // _HZ_A_WAIT_STATE
            assert self.values[self.ACR] & 7 >= needed, "too few wait states"
            assert self.apb1_hz <= 42_000_000, "datasheet, general operating conditions"
            assert self.apb2_hz <= 84_000_000, "datasheet, general operating conditions"

    def _runs(self, bit: int) -> bool:
        return bool(self.values.get(self.CR, 0) >> bit & 1) and not self.broken

    @property
    def _source_hz(self) -> int:
        return self.hse_hz if self.values[self.PLLCFGR] >> 22 & 1 else _HSI_HZ

    @property
    def pll_hz(self) -> int:
        """SYSCLK of the PLL (7.3.2), whose frequencies must be where they may be."""
        config = self.values[self.PLLCFGR]
        entry = self._source_hz / (config & 63)
        vco = entry * (config >> 6 & 511)
        assert 950_000 <= entry <= 2_100_000
        assert 100e6 <= vco <= 432e6
        assert config >> 24 & 15 >= 2
        return round(vco / (2 * (config >> 16 & 3) + 2))

    @property
    def i2s_hz(self) -> float:
        """The clock of I2S (7.3.23)."""
        assert self._runs(26)
        config = self.values[self.PLLI2SCFGR]
        if not self.own_divider:
            assert config & 63 == 0, "reserved"
        divider = config if self.own_divider else self.values[self.PLLCFGR]
        vco = self._source_hz / (divider & 63) * (config >> 6 & 511)
        assert 100e6 <= vco <= 432e6
        return vco / (config >> 28 & 7)

    @property
    def core_hz(self) -> int:
        return self.pll_hz if self.values.get(self.CFGR, 0) & 3 == 2 else _HSI_HZ

    def _bus_hz(self, at: int) -> int:
        prescaler = self.values.get(self.CFGR, 0) >> at & 7
        return self.core_hz >> (prescaler - 3) if prescaler >= 4 else self.core_hz

    @property
    def apb1_hz(self) -> int:
        return self._bus_hz(10)

    @property
    def apb2_hz(self) -> int:
        return self._bus_hz(13)

    def enabled(self, register: int, bit: int) -> bool:
        return bool(self.values.get(register, 0) >> bit & 1)


class Gpio(Block):
    """GPIOA to D (8.4)."""

    BASE = 0x40020000

    def write(self, offset: int, value: int) -> None:
        assert self.chip.clock.enabled(Rcc.AHB1ENR, offset // 0x400), "a GPIO port without clock"
        self.values[offset] = value

    def alternate(self, base: int, pin: int) -> int | None:
        """Return the alternate function that a pin has; None when it has none."""
        port = base - self.BASE
        if self.values.get(port, 0) >> 2 * pin & 3 != 2:
            return None
        return self.values.get(port + 0x20 + 4 * (pin // 8), 0) >> 4 * (pin % 8) & 15


class Tim2(Block):
    """TIM2 (18.4), which counts up."""

    BASE = 0x40000000
    begun: int | None = None
    prescaler = 0

    def write(self, offset: int, value: int) -> None:
        assert self.chip.clock.enabled(Rcc.APB1ENR, 0), "TIM2 without clock"
        self.values[offset] = value
        if offset == 0x14:  # EGR: the prescaler is taken over
            self.prescaler = self.values.get(0x28, 0)
        elif offset == 0x00 and value & 1:
            assert self.values[0x2C] == 0xFFFFFFFF
            self.begun = self.chip.now

    @property
    def hz(self) -> float:
        """The bus's clock, twice where it is divided (7.2)."""
        clock = self.chip.clock
        twice = 1 if clock.apb1_hz == clock.core_hz else 2
        return twice * clock.apb1_hz / (self.prescaler + 1)

    def read(self, offset: int) -> int:
        if offset != 0x24:
            return self.values.get(offset, 0)
        assert self.begun is not None
        return int((self.chip.now - self.begun) / CYCLES_HZ * self.hz) & 0xFFFFFFFF


class Usart(Block):
    """USART2 (30.6). heard: what the chip sent; say() puts bytes on the line to it."""

    BASE = 0x40004000
    SR, RECEIVED, SENT, BRR, CR1 = 0x400, 0x404, 0x404, 0x408, 0x40C
    ENABLE = Rcc.APB1ENR, 17
    INTERRUPT = 38
    UE = 13

    def __init__(self, chip: "Stm32") -> None:
        super().__init__(chip)
        self.heard, self.overrun = bytearray(), bytearray()
        self.coming: deque[int] = deque()
        self.received: int | None = None
        self.arrives: int | None = None
        self.leaves: int | None = None
        self.leaving = 0

    @property
    def baud(self) -> float:
        return self.bus_hz / self.values[self.BRR]

    @property
    def bus_hz(self) -> int:
        return self.chip.clock.apb1_hz

    @property
    def _byte_cycles(self) -> int:
        return round(10 * CYCLES_HZ / self.baud)

    def say(self, data: bytes) -> None:
        self.coming.extend(data)
        if self.arrives is None and self.coming:
            self.arrives = self.chip.now + self._byte_cycles
        self._schedule()

    def read(self, offset: int) -> int:
        if offset == self.SR:
            return (self.received is not None) << 5 | (self.leaves is None) << 7
        if offset == self.RECEIVED:
            byte, self.received = self.received or 0, None
            return byte
        return self.values.get(offset, 0)

    def write(self, offset: int, value: int) -> None:
        assert self.chip.clock.enabled(*self.ENABLE), "a USART without clock"
        self.values[offset] = value
        if offset == self.SENT:
            assert self.values[self.CR1] >> self.UE & self.values[self.CR1] >> 3 & 1
            assert self.leaves is None, "written before it was empty"
            self.leaving, self.leaves = value, self.chip.now + self._byte_cycles
            self._schedule()

    def advance(self) -> None:
        if self.leaves is not None and self.leaves <= self.chip.now:
            self.heard.append(self.leaving)
            self.leaves = None
        if self.arrives is not None and self.arrives <= self.chip.now:
            byte = self.coming.popleft()
            if self.received is None:
                self.received = byte
            else:
                self.overrun.append(byte)
            self.arrives = self.arrives + self._byte_cycles if self.coming else None
        self._schedule()

    @property
    def raises(self) -> bool:
        return self.received is not None and bool(self.values.get(self.CR1, 0) >> 5 & 1)

    def _schedule(self) -> None:
        self.due = min((at for at in (self.arrives, self.leaves) if at is not None), default=None)


class UsartF7(Usart):
    """USART1 of an STM32F7 (RM0385 31.8)."""

    BASE = 0x40011000
    CR1, BRR, SR, RECEIVED, SENT = 0x00, 0x0C, 0x1C, 0x24, 0x28
    ENABLE = Rcc.APB2ENR, 4
    INTERRUPT = 37
    UE = 0

    @property
    def bus_hz(self) -> int:
        return self.chip.clock.apb2_hz


class Spi(Block):
    """SPI2 as I2S2 (28.5). `sound` gives words of 16 bits."""

    BASE = 0x40003000
    CR2, I2SCFGR, I2SPR = 0x804, 0x81C, 0x820
    sound: Iterator[int] = iter(())

    def write(self, offset: int, value: int) -> None:
        assert self.chip.clock.enabled(Rcc.APB1ENR, 14), "SPI2 without clock"
        running = self.values.get(self.I2SCFGR, 0) >> 10 & 1
        assert not running, "I2S is set up while it runs"
        self.values[offset] = value
        if offset == self.I2SCFGR and value >> 10 & 1:
            assert value >> 8 & 0xF == 0xF, "I2S, master, receive"
            assert self.values[self.CR2] & 1, "no DMA"
            self.chip.dma1.begin()

    @property
    def bit_hz(self) -> float:
        """Of 28.4.4, without MCK."""
        divider = self.values[self.I2SPR]
        return self.chip.clock.i2s_hz / (2 * (divider & 0xFF) + (divider >> 8 & 1))


class Dma1(Block):
    """Stream 3 of DMA1 (10.5), from SPI2 in a circle."""

    BASE = 0x40026000
    LISR, LIFCR, CR, NDTR, PAR, M0AR = 0x00, 0x08, 0x58, 0x5C, 0x60, 0x64
    HALF, WHOLE = 1 << 26, 1 << 27
    _AT_A_TIME = 4

    flags = 0
    done = 0

    def read(self, offset: int) -> int:
        return self.flags if offset == self.LISR else self.values.get(offset, 0)

    def write(self, offset: int, value: int) -> None:
        assert self.chip.clock.enabled(Rcc.AHB1ENR, 21), "DMA1 without clock"
        self.values[offset] = value
        if offset == self.LIFCR:
            self.flags &= ~value

    def begin(self) -> None:
        control = self.values[self.CR]
        assert control & 1, "the stream is not enabled"
        assert control >> 25 == 0, "SPI2_RX is channel 0"
        assert control >> 8 & 5 == 5 and control >> 6 & 3 == 0, "in a circle, memory increased"
        assert control >> 11 & 0xF == 0b0101, "words of 16 bits on both sides"
        assert self.values[self.PAR] == 0x4000380C
        self._schedule(self.chip.now)

    def advance(self) -> None:
        total = self.values[self.NDTR]
        for _ in range(self._AT_A_TIME):
            at = self.values[self.M0AR] + 2 * self.done
            assert at in RAM and at % 2 == 0
            self.chip.core.mem_write(at, struct.pack("<H", next(self.chip.spi.sound)))
            self.done = (self.done + 1) % total
            if self.done == total // 2:
                assert not self.flags & self.HALF, "a half was not taken in time"
                self.flags |= self.HALF
            elif self.done == 0:
                assert not self.flags & self.WHOLE, "a half was not taken in time"
                self.flags |= self.WHOLE
        self._schedule(self.due)

    @property
    def raises(self) -> bool:
        control = self.values.get(self.CR, 0)
        half = self.flags & self.HALF and control >> 3 & 1
        return bool(half or (self.flags & self.WHOLE and control >> 4 & 1))

    def _schedule(self, last: int) -> None:
        word_cycles = 16 * CYCLES_HZ / self.chip.spi.bit_hz
        self.due = last + round(self._AT_A_TIME * word_cycles)


class Nvic(Scs):
    """The core's own registers, the interrupts' priorities (Armv7-M B3.4.9), and caches (B2.2.7).

    Those are a Cortex-M7's with 4 KiB for data: 32 sets of 4 lines.
    """

    CCR, CCSIDR, CSSELR, ICIALLU, DCISW = 0xD14, 0xD80, 0xD84, 0xF50, 0xF60
    PLAIN = Scs.PLAIN | {CCR, CCSIDR, CSSELR, ICIALLU, DCISW}
    SETS, WAYS = 32, 4

    def __init__(self, chip: "Stm32") -> None:
        super().__init__(chip)
        self.priorities: dict[int, int] = {}
        self.cleared: set[tuple[int, int]] = set()
        self.values[self.CCSIDR] = (self.SETS - 1) << 13 | (self.WAYS - 1) << 3 | 1

    def write(self, offset: int, value: int) -> None:
        if offset == self.DCISW:
            assert not self.values[self.CCR] >> 16 & 1, "the cache is on"
            self.cleared.add((value >> 5 & 0x1FF, value >> 30))
        elif 0x400 <= offset < 0x4F0:
            self.priorities[offset - 0x400] = value
        else:
            super().write(offset, value)


class Stm32(Chip):
    """The chip with a program in its flash, at the moment of reset."""

    _STREAM3 = 14

    def __init__(
        self, program: Path, *, family: int, hse_hz: int, bypass: bool, own_divider: bool
    ) -> None:
        model = arm.UC_CPU_ARM_CORTEX_M4
        super().__init__(program, model=model, flash=FLASH, ram=RAM, vectors=FLASH.start)
        self.clock, self.gpio, self.timer = map(self.page, (Rcc, Gpio, Tim2))
        line = UsartF7 if family == 7 else Usart
        self.uarte, self.spi, self.dma1 = map(self.page, (line, Spi, Dma1))
        self.scs = self.page(Nvic)
        self.timed, self.line = (self.uarte, self.dma1), self.uarte
        self.clock.hse_hz, self.clock.bypass = hse_hz, bypass
        self.clock.own_divider = own_divider

    def _pending(self) -> int | None:
        raised = ((self.uarte.INTERRUPT, self.uarte), (self._STREAM3, self.dma1))
        waiting = [n for n, one in raised if one.raises and self.scs.enabled >> n & 1]
        return min(waiting, key=lambda n: (self.scs.priorities.get(n, 0), n), default=None)
