"""A child process with a socket as its line, that ends when its parent does, however that ends."""

import contextlib
import ctypes
import os
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from edgeasr.errors import LinkError, ToolError
from edgeasr.link import Link, SocketLink

# Linux, prctl(2). Loaded here, as little as possible is done between fork and exec.
_PR_SET_PDEATHSIG = 1
_PRCTL = ctypes.CDLL(None).prctl

# A program that cannot start says so within this time; a longer wait would slow every start.
_STARTS_S = 0.05
_ENDS_S = 2.0
_LOOKS_S = 0.005
_TAIL_BYTES = 2000

# Exit code of a firmware that met a fault (port/cortex_m/startup.c).
FAULT_EXIT = 70

# What runners can count of a firmware's work, by its ticks.
INSTRUCTIONS, CYCLES = "instructions", "cycles"


class Running:
    """A running program. `link` reads and writes its line; `counted` is what count() counts.

    The child is killed when the thread that started it ends: start it in one that lives on.
    """

    def __init__(
        self,
        argv: Sequence[str | Path],
        log: Path,
        line: socket.socket,
        process: subprocess.Popen[bytes],
        count: Callable[[int], int] | None,
        counted: str,
    ) -> None:
        self._command = shlex.join(str(word) for word in argv)
        self.link: Link = _Line(line, Path(argv[0]).name, self._ended)
        self._log, self._process, self._count = log, process, count
        self.counted = counted

    def instructions(self, ticks: int) -> int | None:
        """Return the instructions, or what `counted` says, of so many of the board's ticks.

        None if nothing is counted.
        """
        return None if self._count is None else self._count(ticks)

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> None:
        """End the program: the line closes, then it is asked, then it is killed."""
        self.link.close()
        if self._process.poll() is None:
            self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_ENDS_S)
            return
        self._process.kill()
        self._process.wait()

    def check_started(self) -> None:
        """Raise ToolError when the program ended at once."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_STARTS_S)
            raise ToolError(f"`{self._command}` {self._exit()}")

    def wait_until_said(self, word: str, timeout_s: float) -> None:
        """Wait for a line that is `word` in what the program says beside its line.

        Ends the program and raises ToolError when it ends before that, or does not say it in time.
        """
        deadline = time.monotonic() + timeout_s
        while word not in self._said().splitlines():
            ended = self._process.poll() is not None
            if ended or time.monotonic() > deadline:
                awaited = "" if ended else f' did not say "{word}" in {timeout_s:g} s; it'
                error = ToolError(f"`{self._command}`{awaited} {self._exit()}")
                self.stop()
                raise error
            time.sleep(_LOOKS_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _ended(self) -> LinkError:
        """Return the error of a line that closed, with what the program said last."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_ENDS_S)
        if self._process.poll() == FAULT_EXIT:
            met = [line for line in self._said().splitlines() if line.startswith("fault:")]
            return LinkError(f"the firmware stopped: {' '.join(met)}; log: {self._log}")
        return LinkError(f"the line to `{self._command}` closed: it {self._exit()}")

    def _exit(self) -> str:
        code = self._process.poll()
        if code is None:
            how = "still runs"
        elif code < 0:
            how = f"was ended by {signal.Signals(-code).name}"
        else:
            how = f"ended with exit code {code}"
        return f"{how} and said: {self._said() or 'nothing'}; log: {self._log}"

    def _said(self) -> str:
        try:
            return self._log.read_bytes()[-_TAIL_BYTES:].decode(errors="replace").strip()
        except OSError:
            return ""


class _Line(SocketLink):
    """Our end of the socket pair; it knows how to say why the other end closed."""

    def __init__(self, ours: socket.socket, name: str, ended: Callable[[], LinkError]) -> None:
        super().__init__(ours, name)
        self._tell_end = ended

    def closed(self) -> LinkError:
        return self._tell_end()


def dies_with_parent() -> Callable[[], None]:
    """Return what a child does before its program, so as to be killed when this thread ends."""
    parent = os.getpid()

    def prepare() -> None:
        _PRCTL(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return prepare


def spawn(
    argv: Sequence[str | Path],
    log: Path,
    *,
    line_as: Callable[[int], Sequence[str]] | None = None,
    count: Callable[[int], int] | None = None,
    counted: str = INSTRUCTIONS,
) -> Running:
    """Start a program whose line is a socket pair: its stdin and stdout, or as `line_as` says.

    line_as: given the number of the socket, returns arguments that hand it over. count, counted:
    see Running. What the program prints beside its line goes to `log`.
    """
    ours, theirs = socket.socketpair()
    handed = theirs.fileno()
    command = [*argv, *(line_as(handed) if line_as else ())]
    try:
        with log.open("wb") as said:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL if line_as else theirs,
                stdout=said if line_as else theirs,
                stderr=said,
                pass_fds=(handed,) if line_as else (),
                preexec_fn=dies_with_parent(),
            )
    except OSError as error:
        ours.close()
        raise ToolError(f"`{shlex.join(map(str, command))}` could not start: {error}") from None
    finally:
        theirs.close()
    running = Running(command, log, ours, process, count, counted)
    try:
        running.check_started()
    except ToolError:
        running.stop()
        raise
    return running
