"""The serial ports of this computer, and which of them may be a board's."""

from collections.abc import Sequence
from dataclasses import dataclass

from serial.tools import list_ports


@dataclass(frozen=True)
class SerialPort:
    """A serial port. usb: "vvvv:pppp" of the USB device that it is, "" where it is none."""

    device: str
    usb: str
    serial: str
    title: str

    def __str__(self) -> str:
        known = [self.title, self.usb, f"serial {self.serial}" if self.serial else ""]
        return f"{self.device} ({', '.join(word for word in known if word)})"


def usb_ports(usb: Sequence[str] = ()) -> list[SerialPort]:
    """Return the ports of USB devices, sorted; only of those that `usb` names, if it names any."""
    found = [
        SerialPort(
            port.device,
            f"{port.vid:04x}:{port.pid:04x}",
            port.serial_number or "",
            port.product or "",
        )
        for port in list_ports.comports()
        if port.vid is not None and port.pid is not None
    ]
    return sorted((p for p in found if not usb or p.usb in usb), key=lambda p: p.device)
