"""BOSSA: the boot loader of Arduino's Nano 33 BLE, over its own USB serial port.

Opening the port at 1200 baud and closing it again sends a program made with Arduino's core to the
boot loader, which comes back as another port; edgeasr's firmware has no USB, and needs the button.
"""

import dataclasses
import time
from pathlib import Path

from edgeasr.errors import LinkError
from edgeasr.flashing import binary
from edgeasr.flashing.way import Job, Plan, Step
from edgeasr.link import ports

PROGRAMS = ("bossac",)
OPTIONS: dict[str, type] = {}
OPTIONAL = {"offset": int, "touch_baud": int}

_PORT = "/dev/ttyACM0"
# ArduinoCore-mbed, boards.txt, nano33ble: the sketch's and the boot loader's USB numbers.
_SKETCH, _LOADER = "2341:805a", "2341:005a"
_COMES_BACK_S = 10.0
_PRESS_TWICE = "press the board's button twice, quickly: its LED fades in and out"

_CURES = (
    (
        r"permission denied",
        "this user may not use the port; cure: sudo usermod -aG dialout $USER, then log in again",
    ),
    (r"no device found|SAM-BA operation failed", f"the boot loader did not answer; {_PRESS_TWICE}"),
    (
        r"device unsupported|unsupported",
        "this bossac does not know the nRF52840; take the one of the Arduino IDE's package "
        "'Arduino Mbed OS Nano Boards'",
    ),
    (r"verify failed|mismatch", "what the board holds is not the program; flash it again"),
    (r"input/output error|no such file", f"the board went away; plug it in again; {_PRESS_TWICE}"),
)


def plan(job: Job) -> Plan:
    """Return the commands: into the boot loader, write, read back, restart."""
    port, in_loader, notes = _port(job)
    image, take = binary.step(job)
    touch = None if in_loader else job.options.get("touch_baud")
    offset = job.options.get("offset")
    write = (
        *("bossac", f"--port={Path(port).name}", "-U", "-i", "-e"),
        *((f"--offset={offset:#x}",) if offset else ()),
        *("-w", "-v", str(image), "-R"),
    )
    steps = [take]
    if touch:
        argv = ("stty", "-F", port, str(touch), "hupcl")
        steps.append(Step("sends the board to its boot loader", argv))
    ready = (lambda step: _wait(job, port, step)) if touch else None
    steps.append(Step("writes, verifies and starts", write, writes=True, ready=ready))
    return Plan(steps=tuple(steps), cures=_CURES, rescue=_PRESS_TWICE, notes=notes)


def _port(job: Job) -> tuple[str, bool, tuple[str, ...]]:
    """Return the board's port, whether the boot loader has it, and what to tell of a dry run.

    job.port is the line of the firmware, which is another: the Nano's UART is on pins.
    """
    found = ports.usb_ports((_SKETCH, _LOADER))
    if job.probe is not None:
        found = [port for port in found if job.probe in (port.serial, port.device)]
    if len(found) > 1:
        found = [found[job.ask("boards", [str(port) for port in found], "--probe SERIAL")]]
    if found:
        return found[0].device, found[0].usb == _LOADER, ()
    if job.dry:
        return _PORT, False, (f"no such board is plugged in: shown for {_PORT}",)
    raise LinkError(
        f"board {job.board.name}: its USB port ({_SKETCH} or {_LOADER}) is not here; plug it in, "
        f"with a cable that has data lines, and {_PRESS_TWICE}"
    )


def _wait(job: Job, before: str, step: Step) -> Step:
    """Wait for the boot loader, and put its port, if it is another now, into the step."""
    deadline = time.monotonic() + _COMES_BACK_S
    while time.monotonic() < deadline:
        if here := ports.usb_ports((_LOADER,)):
            old, new = (f"--port={Path(name).name}" for name in (before, here[0].device))
            argv = tuple(new if word == old else word for word in step.argv)
            return dataclasses.replace(step, argv=argv)
        time.sleep(0.1)
    raise LinkError(
        f"board {job.board.name}: did not come back within {_COMES_BACK_S:g} s of being sent to "
        f"its boot loader; {_PRESS_TWICE}, and flash it again"
    )
