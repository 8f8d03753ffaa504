"""Bare-metal firmware in Renode: its UART on a TCP port, instructions counted by its clock.

Renode's scripts are written beside the built program, in build/renode: the board's description, a
script that starts it, and a Robot Framework test of it for renode-test.
"""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from edgeasr import __version__, boards
from edgeasr.boards import Board
from edgeasr.codegen.environment import render
from edgeasr.errors import ToolError
from edgeasr.runners.child import INSTRUCTIONS, Running, dies_with_parent
from edgeasr.runners.options import check
from edgeasr.toolchain import renode as places

_OPTIONS = {"uart": str, "mips": int, "devices": str}
_HERE = "127.0.0.1"
_OPENS_S = 90.0
_ENDS_S = 3.0
_LOOKS_S = 0.02
_TRIES = 3
_TAKEN = "in use"


def start(board: Board, elf: Path, log: Path) -> Running:
    """Run the firmware in Renode.

    The board's time moves by `mips` instructions a microsecond, so ticks are instructions; a tick
    of ear_port_ticks() is the grain. Raises ToolError when Renode is not found, or ends before
    its line is open.
    """
    options = check(board, _OPTIONS)
    program = places.find()

    def count(ticks: int) -> int:
        return round(ticks * options["mips"] * 1_000_000 / board.ticks_hz)

    for attempt in range(_TRIES):
        monitor, port = _free_ports()
        script = write(board, options, elf.resolve(), log.parent.resolve(), port)
        # --disable-gui and --port are newer names of the same; every release knows these.
        argv = [program, "--disable-xwt", "--plain", "-P", str(monitor), script]
        process = _spawn(argv, log)
        line = _connect(process, port)
        running = _InRenode(argv, log, line or socket.socket(), process, count, INSTRUCTIONS)
        if line is not None:
            return running
        error = running.not_open(port)
        if attempt + 1 == _TRIES or _TAKEN not in str(error):
            raise error
    raise AssertionError("unreachable")


def write(board: Board, options: Mapping[str, object], elf: Path, build: Path, port: int) -> Path:
    """Write the scripts into build/renode and return the one that starts the firmware."""
    folder = build / "renode"
    folder.mkdir(parents=True, exist_ok=True)
    description, script = (folder / f"{board.name}.{kind}" for kind in ("repl", "resc"))
    context = {
        "board": boards.c_context(board),
        "project": {"generator": f"edgeasr {__version__}"},
        **options,
        "devices": str(options["devices"]).strip(),
        "description": _at(description),
        "elf": _at(elf),
        "port": port,
        "script": script,
        "folder": build.parent,
    }
    for kind in ("repl", "resc", "robot"):
        text = render(f"renode/board.{kind}.j2", context)
        (folder / f"{board.name}.{kind}").write_text(text, encoding="utf-8")
    return script


def _at(path: Path) -> str:
    """Return a path as Renode's monitor reads it."""
    return "@" + str(path).replace(" ", "\\ ")


def _free_ports() -> list[int]:
    with contextlib.ExitStack() as held:
        taken = [held.enter_context(socket.create_server((_HERE, 0))) for _ in range(2)]
        return [one.getsockname()[1] for one in taken]


def _spawn(argv: list[str | Path], log: Path) -> subprocess.Popen[bytes]:
    """Start Renode, which is a shell script around a program, as a group of processes."""
    try:
        with log.open("wb") as said:
            return subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
                preexec_fn=dies_with_parent(),
            )
    except OSError as error:
        raise ToolError(
            f"{argv[0]} could not start: {error.strerror}; {places.how_to_get()}"
        ) from None


def _connect(process: subprocess.Popen[bytes], port: int) -> socket.socket | None:
    """Return the line once Renode listens on its port; None when it ends before, or never does."""
    deadline = time.monotonic() + _OPENS_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            line = socket.create_connection((_HERE, port), 1.0)
        except OSError:
            time.sleep(_LOOKS_S)
            continue
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return line
    return None


class _InRenode(Running):
    """Renode, which ends as a group: it is a script and what that runs."""

    def stop(self) -> None:
        self.link.close()
        for how in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_ENDS_S)

    def not_open(self, port: int) -> ToolError:
        """Return the error of a line that did not open, and end what runs."""
        awaited = "" if self._process.poll() is not None else f" in {_OPENS_S:g} s and"
        error = ToolError(
            f"`{self._command}` did not open its line, TCP port {port},{awaited} {self._exit()}"
        )
        self.stop()
        return error
