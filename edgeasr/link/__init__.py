"""Lines to a device: bytes in and out, with time limits, whatever carries them."""

from typing import Protocol

from edgeasr.link.child import ChildLink
from edgeasr.link.pair import PairLink, pair
from edgeasr.link.serial_port import SerialLink

__all__ = ["ChildLink", "Link", "PairLink", "SerialLink", "open_link", "pair"]


class Link(Protocol):
    """What every line can do. A line that has closed raises LinkError from read and write."""

    def read(self, timeout_s: float) -> bytes:
        """Return the bytes that have come, waiting up to timeout_s for the first; b"" if none."""
        ...

    def write(self, data: bytes) -> None:
        """Send all bytes; may wait for the other side to take them."""
        ...

    def close(self) -> None: ...


def open_link(url: str, *, baud: int = 115200) -> Link:
    """Open a serial device, any pyserial URL (`socket://host:port`, `rfc2217://…`), or a program.

    `exec:COMMAND` starts a program whose stdin and stdout are the line. Raises LinkError with the
    cure when there is no such device, it is in use, or one may not open it.
    """
    if url.startswith("exec:"):
        return ChildLink(url.removeprefix("exec:"))
    return SerialLink(url, baud)
