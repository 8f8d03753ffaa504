"""UF2: a board in its boot loader is a USB drive, and takes the file that is copied there.

https://github.com/microsoft/uf2: INFO_UF2.TXT on the drive names the board in its line Board-ID.
The build writes the file, with the family number of the board's table.
"""

import os
import re
import time
from pathlib import Path

from edgeasr.errors import LinkError
from edgeasr.flashing.way import Job, Plan, Step

PROGRAMS = ()
OPTIONS = {"family": int, "drive": str, "board_id": str}
OPTIONAL: dict[str, type] = {}

MOUNTS = Path("/proc/self/mounts")
_INFO = "INFO_UF2.TXT"
_TAKES_S = 15.0
_BOOTSEL = "hold BOOTSEL while plugging the board in"

_CURES = (
    (
        r"permission denied|read-only file system",
        "the drive may not be written; mount it as yourself",
    ),
    (r"no space left", "the drive is full; is it the board's? unplug it, and " + _BOOTSEL),
    (
        r"input/output error|no such device",
        "the board went away; " + _BOOTSEL + ", and flash it again",
    ),
)


def plan(job: Job) -> Plan:
    """Return the copy; the board restarts by itself once it has the last block."""
    file = job.program.with_suffix(".uf2")
    wanted = str(job.options["board_id"])
    drive = _drive(job, wanted)
    notes = ()
    if drive is None:
        drive = Path("/media") / os.environ.get("USER", "user") / str(job.options["drive"])
        notes = (f"no drive of a {wanted} is mounted here: shown for {drive}",)
    return Plan(
        steps=(Step("copies the file", ("cp", str(file), f"{drive}/"), writes=True),),
        cures=_CURES,
        rescue=_BOOTSEL,
        finish=lambda: _wait_until_gone(job, drive),
        notes=notes,
    )


def drives() -> list[tuple[Path, str]]:
    """Return mount point and Board-ID of each mounted drive of a UF2 boot loader."""
    found = []
    for line in MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines():
        point = Path(re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), line.split()[1]))
        try:
            info = (point / _INFO).read_text(errors="replace")
        except OSError:
            continue
        name = re.search(r"^Board-ID:\s*(.*?)\s*$", info, re.MULTILINE)
        found.append((point, name[1] if name else ""))
    return sorted(found)


def _drive(job: Job, wanted: str) -> Path | None:
    """Return the drive of the board to flash; None for a dry run without any."""
    here = drives()
    mine = [point for point, name in here if name == wanted]
    if job.probe is not None:
        mine = [point for point in mine if str(point) == job.probe.rstrip("/")]
    if len(mine) > 1:
        return mine[job.ask("boards", [str(point) for point in mine], "--probe DRIVE")]
    if mine or job.dry:
        return mine[0] if mine else None
    label = Path("/dev/disk/by-label") / str(job.options["drive"])
    where = f"board {job.board.name}"
    if label.exists():
        raise LinkError(f"{where}: its drive is not mounted; udisksctl mount -b {label}")
    if here:
        names = ", ".join(f"{name} at {point}" for point, name in here)
        raise LinkError(f"{where}: no drive of a {wanted} is here, but {names}; is it this board?")
    raise LinkError(f"{where}: no drive of a {wanted} is mounted; {_BOOTSEL}, and run it again")


def _wait_until_gone(job: Job, drive: Path) -> None:
    deadline = time.monotonic() + _TAKES_S
    while (drive / _INFO).exists():
        if time.monotonic() > deadline:
            raise LinkError(
                f"board {job.board.name}: {drive} is still there {_TAKES_S:g} s after the copy, so "
                f"the board did not take the file; {_BOOTSEL}, and flash it again"
            )
        time.sleep(0.1)
