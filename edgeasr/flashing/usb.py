"""USB devices by what Linux tells of them: debug probes, boards in their boot loader."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edgeasr.errors import LinkError
from edgeasr.flashing.way import Job

SYSFS = Path("/sys/bus/usb/devices")
NODES = Path("/dev/bus/usb")

# ST RM0090's boards UM1075 and UM1724 have an ST-LINK; 0d28 is Arm's DAPLink, 1366 SEGGER's J-Link.
_PROBE_VENDORS = {"1366": "J-Link", "0d28": "DAPLink"}
_ST_LINKS = {"3744", "3748", "374a", "374b", "374d", "374e", "374f", "3752", "3753", "3754", "3757"}


@dataclass(frozen=True)
class UsbDevice:
    """A device on USB. usb: "vvvv:pppp". node: its file, which its user must be able to write."""

    usb: str
    serial: str
    title: str
    node: Path

    def __str__(self) -> str:
        serial = f", serial {self.serial}" if self.serial else ""
        return f"{self.title or 'USB device'} ({self.usb}{serial})"


def devices() -> list[UsbDevice] | None:
    """Return what is plugged in, sorted; None where this system does not tell."""
    if not SYSFS.is_dir():
        return None
    found = []
    for folder in SYSFS.iterdir():
        if not (folder / "idVendor").is_file():
            continue

        def text(name: str, folder: Path = folder) -> str:
            file = folder / name
            return file.read_text(errors="replace").strip() if file.is_file() else ""

        node = NODES / f"{int(text('busnum') or 0):03}" / f"{int(text('devnum') or 0):03}"
        usb = f"{text('idVendor')}:{text('idProduct')}"
        found.append(UsbDevice(usb, text("serial"), text("product"), node))
    return sorted(found, key=lambda d: (d.usb, d.serial))


def is_probe(device: UsbDevice) -> bool:
    """True for the debug probes that OpenOCD and pyOCD know."""
    vendor, product = device.usb.split(":")
    return (
        vendor in _PROBE_VENDORS
        or (vendor == "0483" and product in _ST_LINKS)
        or "CMSIS-DAP" in device.title.upper()
    )


def may_use(device: UsbDevice) -> bool:
    """True where this user may write to a device, or nobody can tell."""
    return not device.node.exists() or os.access(device.node, os.W_OK)


def find_probe(job: Job) -> str | None:
    """Return the serial number of the debug probe to use; None where it is the only one.

    A probe that carries the board's own serial line goes before others. Raises LinkError when there
    is none or it may not be used; what job.ask raises when there are several.
    """
    if job.probe is not None or job.dry:
        return job.probe
    here = devices()
    if here is None:
        return None
    probes = [d for d in here if is_probe(d)]
    own = [d for d in probes if job.board.line and d.usb in job.board.line.usb]
    probe = _one(job, own or probes, "debug probes", "debug probe", is_probe)
    return probe.serial or None if len(probes) > 1 else None


def find_loader(job: Job, usb: str, title: str, cure: str) -> str | None:
    """Return the serial number of the board in its boot loader, as find_probe does."""
    if job.probe is not None or job.dry:
        return job.probe
    here = devices()
    if here is None:
        return None
    loaders = [d for d in here if d.usb == usb]
    if not loaders:
        raise LinkError(f"board {job.board.name}: no {title} ({usb}) is on USB; {cure}")
    loader = _one(job, loaders, f"boards in {title}", title, lambda d: d.usb == usb)
    return loader.serial or None if len(loaders) > 1 else None


def _one(
    job: Job,
    found: list[UsbDevice],
    several: str,
    one: str,
    wanted: Callable[[UsbDevice], bool],
) -> UsbDevice:
    if not found:
        raise LinkError(
            f"board {job.board.name}: no {one} is on USB; plug the board's probe in, with a cable "
            "that has data lines, and see whether 'lsusb' lists it; --probe SERIAL names one that "
            "is not found"
        )
    chosen = found[0]
    if len(found) > 1:
        chosen = found[job.ask(several, [str(d) for d in found], "--probe SERIAL")]
    if not may_use(chosen):
        raise LinkError(f"{chosen}: permission denied; cure: {udev_rule(chosen.usb)}")
    return chosen


def udev_rule(usb: str) -> str:
    """Return the command that lets whoever sits at this computer use a vendor's devices."""
    rule = f'SUBSYSTEM=="usb", ATTR{{idVendor}}=="{usb[:4]}", TAG+="uaccess"'
    return (
        f"echo '{rule}' | sudo tee /etc/udev/rules.d/70-edgeasr-{usb[:4]}.rules, then sudo udevadm "
        "control --reload, and plug it in again"
    )
