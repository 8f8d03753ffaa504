"""A link that writes down what passes over it."""

import time
from pathlib import Path

from edgeasr.errors import LinkError
from edgeasr.link.line import Link


class LoggedLink:
    """Wraps a link; every byte goes to a file, a line for each read and write.

    `+0.012345 > 00 05` is what was sent, `<` what came; times in seconds from the start.
    """

    def __init__(self, link: Link, path: Path) -> None:
        self.link, self.log_path = link, path
        self.name, self.hint = link.name, link.hint
        self._begin = time.monotonic()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("w")
        except OSError as error:
            raise LinkError(f"{path}: the log cannot be written: {error.strerror}") from None

    def read(self, timeout_s: float) -> bytes:
        data = self.link.read(timeout_s)
        if data:
            self._note("<", data)
        return data

    def write(self, data: bytes) -> None:
        self._note(">", data)
        self.link.write(data)

    def close(self) -> None:
        self.link.close()
        self._file.close()

    def _note(self, direction: str, data: bytes) -> None:
        if not self._file.closed:
            seconds = time.monotonic() - self._begin
            self._file.write(f"+{seconds:.6f} {direction} {data.hex(' ')}\n")
            self._file.flush()
