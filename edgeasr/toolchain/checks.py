"""What this computer has of all that edgeasr can use: programs, C libraries, packages, ports."""

import contextlib
import importlib.metadata
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edgeasr import boards, microlite
from edgeasr.errors import EdgeasrError, ToolError
from edgeasr.toolchain import npm, renode, tools

_OLDEST_PYTHON = (3, 11)

# Distribution: (what needs it, whether everything does).
_PACKAGES = {
    "numpy": ("everything", True),
    "jinja2": ("export", True),
    "pyserial": ("talking to boards", True),
    "typer": ("the command line", True),
    "rich": ("the command line", True),
    "soundfile": ("reading recordings", True),
    "tflite": ("reading models", True),
    "tensorflow-cpu": ("train and quantize", False),
    "librosa": ("train", False),
    "tflite-micro": ("checking against TFLite-Micro", False),
}

# A compiler without its library passes `--version` and then finds no header.
_LIBRARIES = {
    "gcc": ("C", "string.h"),
    "arm-none-eabi-gcc": ("C", "string.h"),
    "aarch64-linux-gnu-gcc": ("C", "string.h"),
    "g++": ("C++", "cstddef"),
    "arm-none-eabi-g++": ("C++", "cstddef"),
    "aarch64-linux-gnu-g++": ("C++", "cstddef"),
}


@dataclass(frozen=True)
class Check:
    """One thing looked for. found: its version or place, "" when it is missing or no use.

    install: the command that brings it. essential: without it no board can be built for.
    """

    name: str
    needed_for: str
    found: str
    install: str
    essential: bool

    @property
    def ok(self) -> bool:
        return bool(self.found)


def all_checks() -> Iterator[Check]:
    """Look for everything; each check takes well under a second."""
    yield _python()
    yield from (_package(name) for name in _PACKAGES)
    for known in tools.TOOLS:
        check = _program(known)
        yield check
        if known.program in _LIBRARIES and check.ok:
            yield _library(known)
    yield _rp2040js()
    yield _renode()
    yield _microlite()
    yield _serial_ports()


def _python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    right = sys.version_info >= _OLDEST_PYTHON
    return Check("Python 3.11", "everything", found if right else "", "apt-get install python3.11",
                 essential=True)  # fmt: skip


def _package(name: str) -> Check:
    needed_for, essential = _PACKAGES[name]
    try:
        found = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        found = ""
    install = f"pip install {name}" if essential else "pip install 'edgeasr[train]'"
    return Check(f"Python package {name}", needed_for, found, install, essential)


def _program(known: tools.Tool) -> Check:
    path = next(filter(None, map(shutil.which, (known.program, *known.instead))), None)
    found = (tools.version(known, path) or path) if path else ""
    needed_for = known.needed_for.rstrip(",")
    return Check(known.program, needed_for, found, known.install, known.essential)


def _library(known: tools.Tool) -> Check:
    compiler = next(filter(None, map(shutil.which, (known.program, *known.instead))))
    language, header = _LIBRARIES[known.program]
    found = f"{header} is there" if tools.has_header(compiler, header, language) else ""
    library = known.packages.split()[-1]
    return Check(f"{language} library of {known.program}", known.needed_for.rstrip(","), found,
                 f"apt-get install {library}", known.essential)  # fmt: skip


def _renode() -> Check:
    found = ""
    with contextlib.suppress(EdgeasrError):
        found = str(renode.find())
    needed_for = "running firmware of STM32 boards and the nRF52840 DK"
    return Check("renode", needed_for, found, renode.how_to_get(), essential=False)


def _rp2040js() -> Check:
    found = ""
    with contextlib.suppress(ToolError):
        npm.rp2040js()
        found = npm.VERSION
    needed_for = "running firmware of the Raspberry Pi Pico"
    return Check("npm package rp2040js", needed_for, found, npm.INSTALL, essential=False)


def _microlite() -> Check:
    """TFLite-Micro is found for boards one by one: each needs a library of its core."""
    served = []
    for name in boards.names():
        with contextlib.suppress(ToolError):
            microlite.find(boards.load(name))
            served.append(name)
    found = f"for {', '.join(served)}" if served else ""
    advice = microlite.advice(boards.load("host"))
    return Check("TFLite-Micro", "projects of the engine tflm", found, advice, essential=False)


def _serial_ports() -> Check:
    """A board on a serial port needs the right to open it; Debian's group for that is dialout."""
    ports = sorted(p for kind in ("ttyUSB*", "ttyACM*") for p in Path("/dev").glob(kind))
    refused = [p for p in ports if not os.access(p, os.R_OK | os.W_OK)]
    if refused:
        found = ""
    elif ports:
        found = ", ".join(map(str, ports))
    else:
        found = "no serial port is plugged in"
    name = f"right to open {', '.join(map(str, refused))}" if refused else "serial ports"
    return Check(name, "boards on a serial port", found, "usermod -aG dialout $USER", False)
