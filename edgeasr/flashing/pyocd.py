"""pyOCD: writes, then reads all of it back and compares, which `pyocd flash` alone does not."""

import shlex

from edgeasr.flashing import binary, openocd, usb
from edgeasr.flashing.way import Job, Plan, Step

PROGRAMS = ("pyocd",)
OPTIONS = {"target": str}
OPTIONAL: dict[str, type] = {}

_CURES = (
    (r"access denied|permission denied|insufficient permissions|Errno 13", openocd.ACCESS),
    (r"no such device|Errno 19|Errno 5|device disconnected|has been disconnected", openocd.GONE),
    (
        r"no connected debug probe|no available debug probe|no target device|matches unique ID",
        "no probe answered; plug the board in, with a cable that has data lines; 'pyocd list' "
        "shows what is there",
    ),
    (
        r"target type [^\n]* not recognized|unknown target|Unrecognized target",
        "this pyOCD does not know the chip; pip install --upgrade pyocd, or pyocd pack install "
        "CHIP",
    ),
    (r"No ACK|MEM-AP|DP initiali|unable to connect|SWD/JTAG communication", openocd.SILENT),
    (
        r"mismatched byte",
        "what the board's flash holds now is not the program; flash it again, over a shorter cable",
    ),
)


def plan(job: Job) -> Plan:
    """Return the commands: write, compare, reset."""
    serial = usb.find_probe(job)
    chosen = ("--uid", serial) if serial else ()
    common = ("--no-wait", "--target", str(job.options["target"]), *chosen)
    origin = job.board.memory["code"].origin
    image, take = binary.step(job)
    return Plan(
        steps=(
            take,
            Step(
                "writes",
                ("pyocd", "flash", *common, "--no-reset", str(job.program)),
                writes=True,
            ),
            Step(
                "verifies and resets",
                (
                    *("pyocd", "commander", *common, "--connect", "halt"),
                    *(
                        "--command",
                        f"compare {origin:#010x} {shlex.quote(str(image))}",
                        "--command",
                        "reset",
                    ),
                ),
                expects="bytes match",
            ),
        ),
        cures=_CURES,
        rescue="hold RESET while the command starts, and let go",
    )
