"""A link that damages what passes over it, with a seed."""

import random

from edgeasr.link import Link


class FaultyLink:
    """Wraps a link. rate: part of reads and of writes that are damaged in one of six ways."""

    def __init__(self, link: Link, *, seed: int, rate: float) -> None:
        self.name, self.hint = link.name, link.hint
        self.link, self.rate = link, rate
        self.faults = 0
        self._random = random.Random(seed)
        self._held = b""

    def read(self, timeout_s: float) -> bytes:
        return self._damage(self.link.read(timeout_s))

    def write(self, data: bytes) -> None:
        self.link.write(self._damage(data))

    def close(self) -> None:
        self.link.close()

    def _damage(self, data: bytes) -> bytes:
        if not data or self._random.random() >= self.rate:
            return data
        self.faults += 1
        at = self._random.randrange(len(data))
        match self._random.randrange(6):
            case 0:  # a byte is lost
                return data[:at] + data[at + 1 :]
            case 1:  # a bit flips
                return (
                    data[:at] + bytes([data[at] ^ 1 << self._random.randrange(8)]) + data[at + 1 :]
                )
            case 2:  # all comes twice
                return data + data
            case 3:  # the rest is lost
                return data[:at]
            case 4:  # noise comes in between
                return data[:at] + self._random.randbytes(20) + data[at:]
            case _:  # all is lost
                return b""
