"""The programs that edgeasr runs: what needs each, and the Debian package that brings it.

This is the one list: the builds and runners refuse with it, and `edgeasr doctor` checks it.
"""

import os
import shutil
from dataclasses import dataclass

from edgeasr import process
from edgeasr.errors import ToolError


@dataclass(frozen=True)
class Tool:
    """A program. instead: programs that do as well. essential: every board needs it.

    packages: Debian's, separated by blanks. version: arguments that make it tell its version.
    otherwise: how to install it where Debian's package is none, or will not do.
    """

    program: str
    needed_for: str
    packages: str
    essential: bool = False
    instead: tuple[str, ...] = ()
    version: tuple[str, ...] = ("--version",)
    otherwise: str = ""

    @property
    def install(self) -> str:
        return self.otherwise or f"apt-get install {self.packages}"


TOOLS = (
    Tool(
        "gcc",
        "the front end on the host, and board host,",
        "gcc libc6-dev",
        essential=True,
        instead=("cc", "clang"),
    ),
    Tool("cmake", "building firmware", "cmake", essential=True),
    Tool("ninja", "building firmware", "ninja-build", essential=True, instead=("make",)),
    Tool(
        "arm-none-eabi-gcc",
        "building firmware for Cortex-M boards",
        "gcc-arm-none-eabi libnewlib-arm-none-eabi",
    ),
    Tool("g++", "projects of the engine tflm on board host", "g++"),
    Tool(
        "arm-none-eabi-g++",
        "projects of the engine tflm for Cortex-M boards",
        "gcc-arm-none-eabi libstdc++-arm-none-eabi-newlib",
    ),
    Tool("qemu-system-arm", "running firmware of Cortex-M boards", "qemu-system-arm"),
    Tool(
        "aarch64-linux-gnu-gcc",
        "building programs for 64-bit Arm Linux boards",
        "gcc-aarch64-linux-gnu libc6-dev-arm64-cross",
    ),
    Tool(
        "aarch64-linux-gnu-g++",
        "projects of the engine tflm for 64-bit Arm Linux boards",
        "g++-aarch64-linux-gnu",
    ),
    Tool("qemu-aarch64", "running programs of 64-bit Arm Linux boards", "qemu-user"),
    Tool("node", "running firmware of the Raspberry Pi Pico", "nodejs"),
    Tool("npm", "installing the simulator of the Raspberry Pi Pico", "npm"),
    Tool("openocd", "flashing with OpenOCD", "openocd"),
    Tool("pyocd", "flashing with pyOCD", "", otherwise="pip install pyocd"),
    Tool(
        "picotool",
        "flashing with picotool",
        "picotool",
        version=("version",),
        otherwise="apt-get install picotool (Debian 13 or later), or build "
        "github.com/raspberrypi/picotool",
    ),
    Tool(
        "bossac",
        "flashing an Arduino Nano 33 BLE",
        "",
        otherwise="the Arduino IDE's, of its package 'Arduino Mbed OS Nano Boards'; "
        "Debian's bossa-cli does not know the nRF52840",
        version=("--help",),
    ),
    Tool("rsync", "flashing a Raspberry Pi", "rsync"),
    Tool("ssh", "flashing a Raspberry Pi", "openssh-client", version=("-V",)),
    Tool("arecord", "hearing this computer's microphone", "alsa-utils"),
    Tool("espeak-ng", "synthesising words where no recordings are", "espeak-ng"),
)


def tool(program: str) -> Tool:
    """Return what is known of a program; one that is not in the table has no package."""
    for known in TOOLS:
        if known.program == program:
            return known
    return Tool(program, "this board", f"(the package of {program})")


def require(program: str) -> str:
    """Return the path of a program, or of one that does as well; raises ToolError without any."""
    known = tool(program)
    for other in (known.program, *known.instead):
        if path := shutil.which(other):
            return path
    return process.find_program(program, needed_for=known.needed_for, install=known.install)


def has_header(compiler: str, header: str, language: str) -> bool:
    """True when the compiler finds a header of its library; language: C or C++."""
    trial = [compiler, "-fsyntax-only", "-x", language.lower(), "-include", header, os.devnull]
    try:
        process.run(trial, timeout_s=20)
    except ToolError:
        return False
    return True


def version(known: Tool, path: str) -> str:
    """Return the first line that the program says of its version; "" when it says nothing."""
    try:
        lines = process.run([path, *known.version], timeout_s=20).splitlines()
    except ToolError:
        return ""
    return next((line.strip() for line in lines if line.strip()), "")
