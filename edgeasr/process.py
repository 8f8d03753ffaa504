"""Programs: find one, run one, and say in a sentence what went wrong."""

import contextlib
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from edgeasr.errors import ToolError

_TAIL_LINES = 20


class FailedError(ToolError):
    """A program that ran and failed. output: all that it printed."""

    def __init__(self, text: str, output: str) -> None:
        super().__init__(text)
        self.output = output


def find_program(name: str, *, needed_for: str, install: str) -> str:
    """Return the path of program `name`, or raise ToolError with what needs it and the cure."""
    path = shutil.which(name)
    if path is None:
        raise ToolError(f"{name}: not found on PATH; {needed_for} needs it; install: {install}")
    return path


def run(
    argv: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    log: Path | None = None,
    timeout_s: float | None = None,
) -> str:
    """Run a program to its end and return its output (stdout and stderr together).

    The output also goes to `log` when given. Raises ToolError with the command, the exit code and
    the last lines when it fails, cannot start, or runs past `timeout_s`.
    """
    command = [str(a) for a in argv]
    shown = shlex.join(command)
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as stop:
        output = (stop.stdout or b"").decode(errors="replace")
        text = f"`{shown}` did not end in {timeout_s:g} s{_tail(output, log)}"
        raise FailedError(text, output) from None
    except OSError as error:
        raise ToolError(f"`{shown}` could not start: {error.strerror}") from None
    output = done.stdout.decode(errors="replace")
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(output)
    if done.returncode != 0:
        raise FailedError(
            f"`{shown}` failed with exit code {done.returncode}{_tail(output, log)}", output
        )
    return output


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep what C++ libraries write to descriptors 1 and 2 by themselves off the terminal."""
    kept = [os.dup(1), os.dup(2)]
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 1)
        os.dup2(null, 2)
        yield
    finally:
        for target, original in zip((1, 2), kept, strict=True):
            os.dup2(original, target)
            os.close(original)
        os.close(null)


def _tail(output: str, log: Path | None) -> str:
    lines = output.rstrip().splitlines()[-_TAIL_LINES:]
    where = f"; full log: {log}" if log else ""
    return where + (":\n" + "\n".join(lines) if lines else "; it printed nothing")
