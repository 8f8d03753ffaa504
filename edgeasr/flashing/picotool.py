"""picotool: writes a Raspberry Pi Pico in its boot loader over USB, reads back, and restarts it."""

from edgeasr.flashing import usb
from edgeasr.flashing.way import Job, Plan, Step

PROGRAMS = ("picotool",)
OPTIONS: dict[str, type] = {}
OPTIONAL: dict[str, type] = {}

_BOOTSEL = "hold BOOTSEL while plugging the board in"
# RP2040 datasheet, 2.8.4: USB numbers of the boot ROM; RP2350 datasheet, 5.5.
_RP2040, _RP2350 = "2e8a:0003", "2e8a:000f"

_CURES = (
    (
        r"unable to connect|permission|LIBUSB_ERROR_ACCESS",
        "this user may not use the board; cure: " + usb.udev_rule("2e8a"),
    ),
    (
        r"No accessible RP[- ]?\w* devices? in BOOTSEL mode were found|no accessible",
        f"no board is in its boot loader; {_BOOTSEL}",
    ),
    (
        r"did not match|verif\w+ failed|mismatch",
        "what the board holds is not the program; flash it again",
    ),
    (r"no device|LIBUSB", f"the board went away; {_BOOTSEL}, and flash it again"),
)


def plan(job: Job) -> Plan:
    """Return the command."""
    file = job.program.with_suffix(".uf2")
    loader = _RP2350 if job.board.core == "cortex-m33" else _RP2040
    serial = usb.find_loader(job, loader, "boot loader of a Pico", _BOOTSEL)
    chosen = ("--ser", serial) if serial else ()
    argv = ("picotool", "load", "--verify", "--execute", str(file), *chosen)
    return Plan(
        steps=(Step("writes, verifies and starts", argv, writes=True),),
        cures=_CURES,
        rescue=_BOOTSEL,
    )
