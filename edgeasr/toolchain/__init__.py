"""Firmware projects become programs: CMake with Ninja or Make, the board's compiler, and sizes."""

from edgeasr.toolchain.build import Built, build, find_built, library, program_path
from edgeasr.toolchain.tools import TOOLS, Tool, require, tool

__all__ = [
    "TOOLS",
    "Built",
    "Tool",
    "build",
    "find_built",
    "library",
    "program_path",
    "require",
    "tool",
]
