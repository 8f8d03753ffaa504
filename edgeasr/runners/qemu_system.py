"""Bare-metal firmware in QEMU's system mode: UART on a socket, instructions counted exactly."""

from pathlib import Path

from edgeasr.boards import Board
from edgeasr.runners.child import Running, spawn
from edgeasr.runners.options import check
from edgeasr.toolchain import require

_NANOSECONDS = 1_000_000_000

# What firmware says through semihosting once its UART takes bytes; QEMU holds back earlier ones.
_READY = "ready"
_READY_TIMEOUT_S = 60.0


def start(board: Board, elf: Path, log: Path) -> Running:
    """Run the firmware on QEMU's machine of the board.

    Under -icount an instruction takes 2^icount_shift ns of the board's time, whatever it does, so
    ticks are instructions. It is also what makes QEMU look at the line again once the firmware
    has set up its UART: do not run without.
    """
    options = check(board, {"machine": str, "icount_shift": int})
    emulator = require("qemu-system-arm")
    argv = [
        *(emulator, "-M", options["machine"], "-kernel", elf.resolve()),
        *("-nodefaults", "-display", "none", "-monitor", "none"),
        *("-semihosting-config", "enable=on,target=native"),
        *("-icount", f"shift={options['icount_shift']}"),
        # No byte is the multiplexer's escape character.
        *("-echr", "0x100"),
    ]
    instruction_ns = 1 << options["icount_shift"]

    def count(ticks: int) -> int:
        return round(ticks * _NANOSECONDS / (board.ticks_hz * instruction_ns))

    running = spawn(argv, log, line_as=_uart, count=count)
    if board.constants.get("semihosting"):
        running.wait_until_said(_READY, _READY_TIMEOUT_S)
    return running


def _uart(descriptor: int) -> tuple[str, ...]:
    """Hand the UART a socket, through a multiplexer for the sake of its buffer of 32 bytes.

    Without one QEMU's two threads take turns at every byte, which is slow, and very slow on a busy
    computer.
    """
    return "-chardev", f"socket,id=line,fd={descriptor},mux=on", "-serial", "chardev:line"
