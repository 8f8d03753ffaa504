"""A child process whose stdin and stdout are the line."""

import contextlib
import os
import shlex
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from edgeasr.errors import InputError, LinkError
from edgeasr.link.line import DescriptorLink

_ENDS_S = 2.0
_TAIL_BYTES = 2000


class ProcessLink(DescriptorLink):
    """Starts a program and speaks with it. What it prints on stderr is shown when it ends.

    process: the child.
    """

    hint = "does the program speak the protocol on stdin and stdout?"

    def __init__(self, argv: Sequence[str | Path]) -> None:
        command = [str(word) for word in argv]
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        try:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said, bufsize=0
            )
        except OSError as error:
            self._said.close()
            raise LinkError(
                f"`{shlex.join(command)}` could not start: {error.strerror}; check its path"
            ) from None
        # The descriptors become the link's own.
        fds = [os.dup(stream.fileno()) for stream in (self.process.stdout, self.process.stdin)]
        self.process.stdout.close()
        self.process.stdin.close()
        super().__init__(f"`{shlex.join(command)}`", *fds)

    @classmethod
    def from_text(cls, text: str) -> "ProcessLink":
        """Start the program of a command line, quoted as in a shell."""
        try:
            argv = shlex.split(text)
        except ValueError as error:
            raise InputError(f"exec:{text}: {error}; quote it as in a shell") from None
        if not argv:
            raise InputError("exec: names no program; write exec:PROGRAM ARGUMENTS")
        return cls(argv)

    def close(self) -> None:
        """Close the line; end the program if that alone does not."""
        super().close()
        if self.process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(_ENDS_S / 4)
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(_ENDS_S)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._said.close()

    def closed(self) -> LinkError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(_ENDS_S)
        code = self.process.poll()
        how = "closed the line" if code is None else f"ended with exit code {code}"
        return LinkError(f"{self.name}: the program {how}; it said: {self.said() or 'nothing'}")

    def said(self) -> str:
        """Return the last that the program printed on stderr."""
        size = os.fstat(self._said.fileno()).st_size
        tail = os.pread(self._said.fileno(), _TAIL_BYTES, max(size - _TAIL_BYTES, 0))
        return tail.decode(errors="replace").strip()
