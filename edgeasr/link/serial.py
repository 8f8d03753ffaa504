"""Serial ports, and whatever else pyserial opens by URL."""

import errno
import os
import re
from pathlib import Path

import serial
from serial.tools import list_ports

from edgeasr.errors import InputError, LinkError
from edgeasr.link.line import WRITE_TIMEOUT_S


class SerialLink:
    """A port of pyserial, 8N1, without flow control of its own; nobody else may open it."""

    def __init__(self, url: str, baud: int) -> None:
        self.name = url
        self.hint = (
            f"is the firmware running at {baud} baud, does the cable carry data, and do TX and RX "
            "cross?"
        )
        try:
            self._port = serial.serial_for_url(
                url, baudrate=baud, timeout=0, write_timeout=WRITE_TIMEOUT_S, do_not_open=True
            )
            if isinstance(self._port, getattr(serial, "Serial", ())):
                self._port.exclusive = True
            self._port.open()
            self._port.reset_input_buffer()
        except (serial.SerialException, OSError) as error:
            raise LinkError(_explain(url, error)) from None
        except ValueError as error:
            raise InputError(
                f"{url}: {error}; give a device, or a URL such as socket://HOST:PORT or "
                "rfc2217://HOST:PORT, and a baud rate that it has"
            ) from None

    def read(self, timeout_s: float) -> bytes:
        if not self._port.is_open:
            raise LinkError(f"{self.name}: the line is closed on this side; open it again")
        try:
            self._port.timeout = timeout_s
            first = self._port.read(1)
            return first + self._port.read(self._port.in_waiting) if first else b""
        except (serial.SerialException, OSError, TypeError) as error:
            raise self._lost(error) from None

    def write(self, data: bytes) -> None:
        if not self._port.is_open:
            raise LinkError(f"{self.name}: the line is closed on this side; open it again")
        try:
            self._port.write(data)
        except serial.SerialTimeoutException:
            raise LinkError(
                f"{self.name}: did not take {len(data)} B in {WRITE_TIMEOUT_S:g} s; {self.hint}"
            ) from None
        except (serial.SerialException, OSError) as error:
            raise self._lost(error) from None

    def close(self) -> None:
        self._port.close()

    def _lost(self, error: Exception) -> LinkError:
        return LinkError(f"{self.name}: the port went away ({error}); was the board unplugged?")


def _explain(url: str, error: Exception) -> str:
    # pyserial hides the number of some errors in its text: (25, 'Inappropriate ioctl for device').
    number = getattr(error, "errno", None)
    if number is None and (hidden := re.search(r"\((\d+), '", str(error))):
        number = int(hidden[1])
    if number == errno.ENOENT:
        found = sorted(port.device for port in list_ports.comports())
        ports = f"ports here: {', '.join(found)}" if found else "no serial port is here"
        return f"{url}: no such port; {ports}; is the board plugged in?"
    if number in (errno.EACCES, errno.EPERM):
        group = _group(url)
        cure = f"sudo usermod -aG {group} $USER, then log in again" if group else "ask its owner"
        return f"{url}: permission denied; you may not use the port; cure: {cure}"
    if number in (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK) or "lock" in str(error).lower():
        return f"{url}: the port is busy; another program has it open; close that one first"
    if number in (errno.ENOTTY, errno.EINVAL, errno.ENXIO, errno.ENODEV, errno.EISDIR):
        return f"{url}: is not a serial port; give a device such as /dev/ttyACM0, or a URL"
    why = os.strerror(number) if number else str(error)
    return f"{url}: could not be opened: {why}; is the other side there?"


def _group(url: str) -> str | None:
    try:
        return Path(url).group()
    except (OSError, KeyError):
        return None
