"""A program whose stdin and stdout are the line."""

import os
import select
import shlex
import subprocess

from edgeasr.errors import LinkError


class ChildLink:
    """A child process, started with the link and ended with it. What it says on stderr is shown."""

    def __init__(self, command: str) -> None:
        self.name = f"exec:{command}"
        try:
            self._child = subprocess.Popen(
                shlex.split(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
            )
        except (OSError, ValueError) as error:
            raise LinkError(f"{self.name}: cannot be started: {error}") from None

    def read(self, timeout_s: float) -> bytes:
        output = self._child.stdout
        if output.closed:
            raise LinkError(f"{self.name}: is closed")
        ready, _, _ = select.select([output], [], [], max(timeout_s, 0))
        if not ready:
            return b""
        data = os.read(output.fileno(), 65536)
        if not data:
            raise LinkError(f"{self.name}: ended with exit code {self._child.wait()}")
        return data

    def write(self, data: bytes) -> None:
        try:
            self._child.stdin.write(data)
        except (OSError, ValueError):
            raise LinkError(f"{self.name}: takes no more bytes; it has ended") from None

    def close(self) -> None:
        for stream in (self._child.stdin, self._child.stdout):
            stream.close()
        try:
            self._child.wait(2)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
