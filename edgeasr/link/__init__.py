"""Lines to a device: bytes in and out, with time limits, whatever carries them."""

from pathlib import Path

from edgeasr.link.line import DescriptorLink, Link
from edgeasr.link.log import LoggedLink
from edgeasr.link.pair import pair
from edgeasr.link.pipe import ProcessLink
from edgeasr.link.pseudo import PtyLink
from edgeasr.link.serial import SerialLink
from edgeasr.link.socket import SocketLink

__all__ = [
    "DescriptorLink",
    "Link",
    "LoggedLink",
    "ProcessLink",
    "PtyLink",
    "SerialLink",
    "SocketLink",
    "open_link",
    "pair",
]

BAUD = 115_200


def open_link(url: str, *, baud: int = BAUD, log: Path | None = None) -> Link:
    """Open a line by its URL.

    A serial device or any URL of pyserial; `socket://HOST:PORT`; `unix:PATH`; `pty:` for a new
    pseudo-terminal; `exec:PROGRAM ARGUMENTS` for a child's stdin and stdout. log: file for every
    byte that passes. Raises LinkError, with a cure, when it cannot be opened.
    """
    link = _open(url, baud)
    return LoggedLink(link, log) if log else link


def _open(url: str, baud: int) -> Link:
    if url.startswith("exec:"):
        return ProcessLink.from_text(url.removeprefix("exec:"))
    if url.startswith("socket://"):
        return SocketLink.at_url(url)
    if url.startswith("unix:"):
        return SocketLink.at_path(url.removeprefix("unix:"))
    if url == "pty:":
        return PtyLink()
    return SerialLink(url, baud)
