"""OpenOCD: programs, verifies and resets in one go, over any debug probe that its config knows."""

from edgeasr.flashing import usb
from edgeasr.flashing.way import Job, Plan, Step

PROGRAMS = ("openocd",)
OPTIONS = {"config": str}
OPTIONAL: dict[str, type] = {}

ACCESS = (
    "this user may not use the probe; cure: apt-get install openocd brings udev rules (group "
    "plugdev): plug the probe in again, or " + usb.udev_rule("0483").replace("0483", "VENDOR")
)
GONE = "the probe went away; plug it in again, without a hub if need be"
SILENT = (
    "the probe is there, and the chip does not answer; does the board have power, and is SWD "
    "wired? hold RESET while the command starts, and let go"
)

_CURES = (
    (r"LIBUSB_ERROR_ACCESS|permission denied|insufficient permissions", ACCESS),
    (r"LIBUSB_ERROR_NO_DEVICE|LIBUSB_TRANSFER|LIBUSB_ERROR_PIPE|device disconnected", GONE),
    (r"invalid serial number", "no probe has a serial number like that; --probe takes another"),
    (
        r"verify failed|checksum mismatch|contents differ",
        "what the board's flash holds now is not the program; flash it again, over a shorter cable",
    ),
    (
        r"can't find [^\n]*\.cfg",
        "this OpenOCD has no such config; the version of Debian 12 or later (0.12) has it",
    ),
    (
        r"open failed|unable to open|unable to find|no device found|No J-Link device",
        "no probe answered; plug the board in, with a cable that has data lines, and close every "
        "other program that uses the probe",
    ),
    (
        r"init mode failed|unable to connect|error connecting DP|cannot read IDR|MEM-AP|"
        r"target voltage|examination failed",
        SILENT,
    ),
    (
        r"write protect|failed erasing|flash memory is protected|device protected",
        "its flash is protected; take the protection off with the chip's maker's tool",
    ),
)


def plan(job: Job) -> Plan:
    """Return the command; braces keep Tcl from reading anything into the path."""
    serial = usb.find_probe(job)
    chosen = ("-c", f"adapter serial {serial}") if serial else ()
    program = ("-c", f"program {{{job.program}}} verify reset exit")
    argv = ("openocd", "-f", str(job.options["config"]), *chosen, *program)
    return Plan(
        steps=(Step("writes, verifies and resets", argv, writes=True),),
        cures=_CURES,
        rescue="hold RESET while the command starts, and let go",
    )
