"""What every line to a device can do, and the part that all with a file descriptor share."""

import contextlib
import os
import select
import time
from typing import Protocol, runtime_checkable

from edgeasr.errors import LinkError

WRITE_TIMEOUT_S = 10.0
_CHUNK = 65536


@runtime_checkable
class Link(Protocol):
    """A line of bytes to a device.

    name: what messages call it. hint: the question to ask when nothing answers.
    """

    name: str
    hint: str

    def read(self, timeout_s: float) -> bytes:
        """Return what has come, waiting up to timeout_s for the first byte; b"" if nothing came.

        Raises LinkError when the line is closed and all that came over it was read.
        """
        ...

    def write(self, data: bytes) -> None:
        """Send all bytes. Raises LinkError when the line is closed, or takes none for long."""
        ...

    def close(self) -> None:
        """Let go of the line; a second time does nothing."""
        ...


class DescriptorLink:
    """A link over file descriptors, which may be one and the same; both become non-blocking.

    What comes while a write waits is kept for `read`: a device that waits to be read does not read
    either.
    """

    hint = "is the firmware running?"

    def __init__(self, name: str, read_fd: int, write_fd: int) -> None:
        self.name = name
        self._read_fd, self._write_fd = read_fd, write_fd
        self._received = bytearray()
        self._ended = False
        for fd in {read_fd, write_fd}:
            os.set_blocking(fd, False)

    def read(self, timeout_s: float) -> bytes:
        if not self._received and self._wait(timeout_s, writing=False)[0]:
            self._receive()
        if not self._received and self._ended:
            raise self.closed()
        data = bytes(self._received)
        self._received.clear()
        return data

    def write(self, data: bytes, timeout_s: float = WRITE_TIMEOUT_S) -> None:
        left = memoryview(data)
        deadline = time.monotonic() + timeout_s
        while left:
            readable, writable = self._wait(deadline - time.monotonic(), writing=True)
            if readable:
                self._receive()
            if writable and (sent := self._send(left)):
                left = left[sent:]
                deadline = time.monotonic() + timeout_s
            elif time.monotonic() >= deadline:
                raise LinkError(
                    f"{self.name}: took no byte in {timeout_s:g} s, {len(left)} of {len(data)} B "
                    f"are left to send; {self.hint}"
                )

    def close(self) -> None:
        fds, self._read_fd, self._write_fd = {self._read_fd, self._write_fd}, -1, -1
        for fd in fds - {-1}:
            with contextlib.suppress(OSError):
                os.close(fd)

    def closed(self) -> LinkError:
        """Return the error of a line whose other side went away."""
        return LinkError(f"{self.name}: the other side closed the line; {self.hint}")

    def _wait(self, timeout_s: float, *, writing: bool) -> tuple[bool, bool]:
        if self._read_fd < 0:
            raise LinkError(f"{self.name}: the line is closed on this side; open it again")
        watched = [] if self._ended else [self._read_fd]
        wanted = [self._write_fd] if writing else []
        poll = select.poll()
        for fd in {*watched, *wanted}:
            events = (select.POLLIN if fd in watched else 0) | (
                select.POLLOUT if fd in wanted else 0
            )
            poll.register(fd, events)
        seen = dict(poll.poll(max(timeout_s, 0) * 1000)) if watched or wanted else {}
        readable = bool(seen.get(self._read_fd, 0) & ~select.POLLOUT) and bool(watched)
        failed = select.POLLERR | select.POLLHUP
        return readable, bool(seen.get(self._write_fd, 0) & (select.POLLOUT | failed))

    def _receive(self) -> None:
        try:
            data = os.read(self._read_fd, _CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""  # a pty whose other side closed, or a connection that was reset
        self._ended = not data
        self._received += data

    def _send(self, data: memoryview) -> int:
        try:
            return os.write(self._write_fd, data)
        except BlockingIOError:
            return 0
        except OSError:
            raise self.closed() from None
