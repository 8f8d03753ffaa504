"""Two ends of a line in memory: for tests, and for a device that is Python."""

import threading

from edgeasr.errors import LinkError


class PairLink:
    """One end. Bytes written here are read at the other; closing either closes both."""

    def __init__(self) -> None:
        self._arrived = bytearray()
        self._changed = threading.Condition()
        self._closed = False
        self.other: PairLink = self

    def read(self, timeout_s: float) -> bytes:
        with self._changed:
            self._changed.wait_for(lambda: self._arrived or self._closed, timeout_s)
            if not self._arrived and self._closed:
                raise LinkError("the other end of the line is closed")
            data = bytes(self._arrived)
            self._arrived.clear()
            return data

    def write(self, data: bytes) -> None:
        if self._closed:
            raise LinkError("the other end of the line is closed")
        self.other._take(data)

    def close(self) -> None:
        for end in (self, self.other):
            with end._changed:
                end._closed = True
                end._changed.notify_all()

    def _take(self, data: bytes) -> None:
        with self._changed:
            self._arrived += data
            self._changed.notify_all()


def pair() -> tuple[PairLink, PairLink]:
    """Return both ends of a line in memory."""
    one, two = PairLink(), PairLink()
    one.other, two.other = two, one
    return one, two
