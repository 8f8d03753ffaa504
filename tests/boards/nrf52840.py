"""An nRF52840 at the level of its registers, enough to run the firmware of port nrf52 as it is.

The core is Unicorn's Cortex-M4; clock, GPIO, TIMER, UARTE, PDM and interrupts act as the nRF52840
Product Specification v1.7 says, by the sections named here. Where it leaves room, the model is the
stricter one. What firmware must not do (EasyDMA outside RAM, a register that does not exist, a pin
that was not set up) is an AssertionError.
"""

import struct
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from tests.boards.chip import CYCLES_HZ, Chip, Page, Scs, arm

FLASH = range(0x00000000, 0x00100000)  # 4.2.3
RAM = range(0x20000000, 0x20040000)  # 4.2.2


class Peripheral(Page):
    """A page with tasks, and with events that raise an interrupt (6.1), beside plain registers."""

    TASKS: ClassVar[dict[int, str]] = {}
    EVENTS: ClassVar[dict[int, int]] = {}
    """Offset, and bit of INTEN."""
    INTENSET, INTENCLR = 0x304, 0x308

    def __init__(self, chip: "Nrf52840") -> None:
        super().__init__(chip)
        self.events = dict.fromkeys(self.EVENTS, 0)
        self.enabled = 0

    def read(self, offset: int) -> int:
        return self.events[offset] if offset in self.events else super().read(offset)

    def write(self, offset: int, value: int) -> None:
        if offset in self.TASKS:
            assert value == 1
            getattr(self, self.TASKS[offset])()
        elif offset in self.events:
            assert value == 0, "firmware clears events and does not make them"
            self.events[offset] = 0
        elif self.EVENTS and offset in (self.INTENSET, self.INTENCLR):
            kept = self.enabled & ~value
            self.enabled = kept | value if offset == self.INTENSET else kept
        else:
            super().write(offset, value)

    @property
    def raises(self) -> bool:
        """Whether its interrupt is raised: the ID is in bits 12 to 19 of the address (6.1.2)."""
        return any(self.enabled >> self.EVENTS[o] & 1 for o, held in self.events.items() if held)


class Clock(Peripheral):
    """CLOCK and POWER (5.3, 5.4), and the access port's protection (4.8), in one page."""

    BASE = 0x40000000
    TASKS: ClassVar = {0x000: "start_crystal"}
    PLAIN = frozenset({0x40C, 0x558})
    STARTS_CYCLES = 360 * 64  # 5.4.4

    crystal = True

    def start_crystal(self) -> None:
        if self.crystal:
            self.due = self.chip.now + self.STARTS_CYCLES

    def advance(self) -> None:
        self.values[0x40C] = 1 << 16 | 1
        self.due = None


class Gpio(Peripheral):
    """GPIO (6.9): both ports, whose pins are counted through."""

    BASE = 0x50000000

    def __init__(self, chip: "Nrf52840") -> None:
        super().__init__(chip)
        self.high: set[int] = set()
        self.outputs: set[int] = set()
        self.inputs: set[int] = set()

    def write(self, offset: int, value: int) -> None:
        first, offset = (32, offset - 0x300) if offset >= 0x800 else (0, offset)
        pins = {first + bit for bit in range(32) if value >> bit & 1}
        if offset == 0x508:  # OUTSET
            self.high |= pins
        elif offset == 0x50C:  # OUTCLR
            self.high -= pins
        else:
            assert 0x700 <= offset < 0x780, f"no GPIO register {offset:#x}"
            pin = first + (offset - 0x700) // 4
            (self.outputs.add if value & 1 else self.outputs.discard)(pin)
            # DIR input, INPUT connected
            (self.inputs.add if value & 3 == 0 else self.inputs.discard)(pin)


class Uicr(Peripheral):
    """UICR (4.4)."""

    BASE = 0x10001000
    PLAIN = frozenset({0x208})


class Nvmc(Peripheral):
    """NVMC (4.3): the cache alone."""

    BASE = 0x4001E000
    PLAIN = frozenset({0x540})


class Timer(Peripheral):
    """TIMER0 (6.30) as a timer, with one capture register."""

    BASE = 0x40008000
    TASKS: ClassVar = {0x000: "start", 0x040: "capture"}
    PLAIN = frozenset({0x504, 0x508, 0x510, 0x540})
    BITS: ClassVar = {0: 16, 1: 8, 2: 24, 3: 32}

    begun: int | None = None

    def start(self) -> None:
        assert self.values[0x504] == 0, "not in timer mode"
        self.begun = self.chip.now

    def capture(self) -> None:
        ticks = 0 if self.begun is None else (self.chip.now - self.begun) // 4
        bits = self.BITS[self.values[0x508]]
        self.values[0x540] = (ticks >> self.values[0x510]) % (1 << bits)


class Uarte(Peripheral):
    """UARTE0 (6.34) without flow control; its FIFO is taken for no deeper than four bytes (6.34.3).

    heard: what the chip sent. say() puts bytes on the line to it; they arrive at the line's rate.
    """

    BASE = 0x40002000
    TASKS: ClassVar = {0x000: "start_rx", 0x008: "start_tx"}
    EVENTS: ClassVar = {0x110: 4, 0x120: 8}
    ENABLE, RTS, TXD, CTS, RXD, BAUDRATE = 0x500, 0x508, 0x50C, 0x510, 0x514, 0x524
    SHORTS, CONFIG = 0x200, 0x56C
    RX_POINTER, RX_MAXIMUM, TX_POINTER, TX_MAXIMUM = 0x534, 0x538, 0x544, 0x548
    PLAIN = frozenset(
        {0x200, 0x500, 0x508, 0x50C, 0x510, 0x514, 0x524, 0x534, 0x538, 0x544, 0x548, 0x56C}
    )
    FIFO_BYTES = 4

    def __init__(self, chip: "Nrf52840") -> None:
        super().__init__(chip)
        self.heard = bytearray()
        self.overrun = bytearray()
        self.coming: deque[int] = deque()
        self.fifo: deque[int] = deque()
        self.arrives: int | None = None
        self.leaves: int | None = None
        self.receiving = range(0)
        self.sending = range(0)

    @property
    def baud(self) -> float:
        return self.values[self.BAUDRATE] * 16e6 / (1 << 32)

    @property
    def byte_cycles(self) -> int:
        return round(10 * CYCLES_HZ / self.baud)

    def say(self, data: bytes) -> None:
        self.coming.extend(data)
        if self.arrives is None and self.coming:
            self.arrives = self.chip.now + self.byte_cycles
        self._schedule()

    def written(self, offset: int) -> None:
        if offset == self.ENABLE and self.values[offset]:
            gpio = self.chip.gpio
            assert self.values[offset] == 8, "UARTE, not UART"
            assert self.values[self.SHORTS] == 0, "not modelled"
            assert self.values[self.CONFIG] == 0, "8N1, no flow control"
            assert self.values[self.TXD] in gpio.outputs & gpio.high
            assert self.values[self.RXD] in gpio.inputs
            assert self.values[self.RTS] >> 31 and self.values[self.CTS] >> 31

    def start_rx(self) -> None:
        assert self.values[self.ENABLE] == 8 and not self.receiving
        self.receiving = self._transfer(self.RX_POINTER, self.RX_MAXIMUM)
        while self.fifo and self.receiving:
            self._store(self.fifo.popleft())

    def start_tx(self) -> None:
        assert self.values[self.ENABLE] == 8
        assert not self.sending, "a transfer is still going on"
        self.sending = self._transfer(self.TX_POINTER, self.TX_MAXIMUM)
        self.leaves = self.chip.now + self.byte_cycles
        self._schedule()

    def advance(self) -> None:
        if self.arrives is not None and self.arrives <= self.chip.now:
            self._receive(self.coming.popleft())
            self.arrives = self.arrives + self.byte_cycles if self.coming else None
        if self.leaves is not None and self.leaves <= self.chip.now:
            # The last moment to read it: a buffer written again too early shows.
            self.heard += self.chip.core.mem_read(self.sending[0], 1)
            self.sending = self.sending[1:]
            self.leaves = self.leaves + self.byte_cycles if self.sending else None
            self.events[0x120] |= not self.sending
        self._schedule()

    def _receive(self, byte: int) -> None:
        if self.values[self.ENABLE] != 8:
            self.overrun.append(byte)
        elif self.receiving:
            self._store(byte)
        elif len(self.fifo) < self.FIFO_BYTES:
            self.fifo.append(byte)
        else:
            self.overrun.append(byte)

    def _store(self, byte: int) -> None:
        self.chip.core.mem_write(self.receiving[0], bytes([byte]))
        self.receiving = self.receiving[1:]
        self.events[0x110] |= not self.receiving

    def _transfer(self, pointer: int, maximum: int) -> range:
        return self.chip.dma(self.values[pointer], self.values[maximum])

    def _schedule(self) -> None:
        self.due = min((at for at in (self.arrives, self.leaves) if at is not None), default=None)


class Pdm(Peripheral):
    """PDM (6.18), mono. `sound` gives its samples; rate and gain are as the registers say."""

    BASE = 0x4001D000
    TASKS: ClassVar = {0x000: "start"}
    EVENTS: ClassVar = {0x100: 0, 0x108: 2}
    ENABLE, CLOCK, MODE, GAIN_LEFT, GAIN_RIGHT, RATIO = 0x500, 0x504, 0x508, 0x518, 0x51C, 0x520
    CLK, DIN, POINTER, MAXIMUM = 0x540, 0x544, 0x560, 0x564
    PLAIN = frozenset({0x500, 0x504, 0x508, 0x518, 0x51C, 0x520, 0x540, 0x544, 0x560, 0x564})

    sound: Iterator[int] = iter(())

    def start(self) -> None:
        gpio = self.chip.gpio
        assert self.values[self.ENABLE] == 1
        assert self.values[self.MODE] & 1, "stereo is not modelled"
        assert self.values[self.CLK] in gpio.outputs - gpio.high
        assert self.values[self.DIN] in gpio.inputs
        self.powered = gpio.high & gpio.outputs
        self._begin()
        self._schedule(self.chip.now)

    @property
    def clock_hz(self) -> float:
        return 32e6 / ((1 << 32) // self.values[self.CLOCK])

    @property
    def rate_hz(self) -> float:
        return self.clock_hz / (80 if self.values[self.RATIO] else 64)

    def advance(self) -> None:
        self.chip.core.mem_write(self.filling[0], struct.pack("<h", next(self.sound)))
        self.filling = self.filling[2:]
        if not self.filling:
            self.events[0x108] = 1
            self._begin()
        self._schedule(self.due)

    def _begin(self) -> None:
        """The pointer is taken, and STARTED says so (6.18.4)."""
        self.filling = self.chip.dma(self.values[self.POINTER], 2 * self.values[self.MAXIMUM])
        self.events[0x100] = 1

    def _schedule(self, last: int) -> None:
        self.due = last + round(CYCLES_HZ / self.rate_hz)


class Nrf52840(Chip):
    """The chip; a boot loader, if there is one, has just started the program."""

    def __init__(self, program: Path, vectors: int) -> None:
        model = arm.UC_CPU_ARM_CORTEX_M4
        super().__init__(program, model=model, flash=FLASH, ram=RAM, vectors=vectors)
        self.clock, self.gpio, self.uicr, self.nvmc = map(self.page, (Clock, Gpio, Uicr, Nvmc))
        self.timer, self.uarte, self.pdm, self.scs = map(self.page, (Timer, Uarte, Pdm, Scs))
        self.timed = (self.clock, self.uarte, self.pdm)
        self.line = self.uarte
        self._interrupting = (self.uarte, self.pdm)

    def dma(self, pointer: int, count: int) -> range:
        """The addresses of a transfer by EasyDMA, which reaches RAM alone (6.2)."""
        taken = range(pointer, pointer + count)
        assert count and taken[0] in RAM and taken[-1] in RAM, f"EasyDMA at {pointer:#010x}"
        return taken

    def _pending(self) -> int | None:
        """The interrupt to be taken, if any: all have one priority, so the lowest (B1.5.4)."""
        numbers = sorted(one.BASE >> 12 & 0xFF for one in self._interrupting if one.raises)
        return next((n for n in numbers if self.scs.enabled >> n & 1), None)
