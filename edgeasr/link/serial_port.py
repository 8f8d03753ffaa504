"""A serial device, or any URL that pyserial knows, as a line."""

import errno
import os
from pathlib import Path

import serial

from edgeasr.errors import LinkError

_CURES = {
    errno.ENOENT: "no such device; is the board plugged in? its ports are /dev/ttyACM* or ttyUSB*",
    errno.EACCES: "you may not open it; join its group: sudo usermod -aG dialout $USER, then log "
    "in again",
    errno.EBUSY: "another program has it open; close its terminal or monitor",
    errno.ECONNREFUSED: "nothing listens there; start the simulator or the bridge first",
}


class SerialLink:
    """A port opened by pyserial, exclusively where the system can."""

    def __init__(self, url: str, baud: int = 115200) -> None:
        self.name = url
        try:
            self._port = serial.serial_for_url(url, baudrate=baud, do_not_open=True)
            if "://" not in url:
                self._port.exclusive = True
            self._port.timeout = 0
            self._port.write_timeout = 10
            self._port.open()
        except (serial.SerialException, OSError, ValueError) as error:
            raise LinkError(f"{url}: cannot be opened: {_cure(error)}") from None

    def read(self, timeout_s: float) -> bytes:
        try:
            self._port.timeout = timeout_s
            first = self._port.read(1)
            self._port.timeout = 0
            return first + self._port.read(4096) if first else b""
        except (serial.SerialException, OSError, TypeError) as error:
            raise LinkError(f"{self.name}: closed while reading: {_cure(error)}") from None

    def write(self, data: bytes) -> None:
        try:
            self._port.write(data)
        except serial.SerialTimeoutException:
            raise LinkError(
                f"{self.name}: took none of {len(data)} bytes in {self._port.write_timeout} s; "
                "is flow control on at the other side?"
            ) from None
        except (serial.SerialException, OSError) as error:
            raise LinkError(f"{self.name}: closed while writing: {_cure(error)}") from None

    def close(self) -> None:
        self._port.close()


def _cure(error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number in _CURES:
        return _CURES[number]
    text = str(error)
    if "exclusively lock" in text:
        return _CURES[errno.EBUSY]
    for known, cure in _CURES.items():
        if os.strerror(known) in text or (known == errno.ENOENT and "No such file" in text):
            return cure
    return text.removesuffix(".") or type(error).__name__


def candidates() -> tuple[str, ...]:
    """Return the serial devices of this computer that a board may be behind."""
    return tuple(sorted(str(p) for p in Path("/dev").glob("tty[AU][CS][MB]*")))
