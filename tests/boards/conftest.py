"""An echo firmware for each board, built from the real port and the real project templates."""

from collections.abc import Callable
from pathlib import Path

import pytest

from edgeasr import boards, paths, project, toolchain
from edgeasr.codegen.environment import render
from edgeasr.errors import ToolError
from edgeasr.project import Manifest, Project
from edgeasr.toolchain import Built, npm
from tests.conftest import missing, need

_HERE = Path(__file__).parent

# What each runner needs besides the board's compiler.
_EMULATORS = {
    "native": (),
    "qemu_system": ("qemu-system-arm",),
    "qemu_user": ("qemu-aarch64",),
    "rp2040js": ("node",),
}

# Boards whose firmware runs wherever the tests do.
SIMULATED = tuple(name for name in boards.names() if boards.load(name).runner in _EMULATORS)


def need_tools(board: str) -> None:
    """Skip (in CI: fail) when a program that the board needs is missing."""
    known = boards.load(board)
    need("cmake", "ninja", known.compiler.program, *_EMULATORS.get(known.runner, ()))
    if known.runner == "rp2040js":
        try:
            npm.rp2040js()
        except ToolError as error:
            missing(f"npm package rp2040js ({error})")


def context(board: str) -> dict[str, object]:
    """Return what the project templates are given."""
    known = boards.load(board)
    sources = ["src/main.c", *(f"port/{f}" for f in known.port.files if f.endswith(".c"))]
    return {
        "board": boards.c_context(known),
        "project": {
            "generator": "edgeasr test",
            "name": "echo",
            "model_name": "echo",
            "model_hash": "0123456789abcdef",
            "model_file": "model/echo.tflite",
            "engine": "none",
            "sources": sources,
            "small_sources": [],
            "python": [],
            "include_dirs": ["src", "port"],
        },
    }


def write_echo(board: str, folder: Path, main: str = "echo.c") -> Project:
    """Write the echo firmware's project for a board, or that of another program of this folder."""
    known, given = boards.load(board), context(board)
    targets = {"CMakeLists.txt": "CMakeLists.txt", "src/board_config.h": "board_config.h"}
    if not known.port.hosted:
        targets["linker.ld"] = "linker.ld"
    files: dict[str, str | bytes] = {
        path: render(f"project/{name}.j2", given) for path, name in targets.items()
    }
    files["src/main.c"] = (_HERE / main).read_bytes()
    files["port/port.h"] = (paths.firmware_templates() / "port" / "port.h").read_bytes()
    for name, path in known.port.files.items():
        files[f"port/{name}"] = path.read_bytes()
    manifest = Manifest(
        generator="edgeasr test",
        board=board,
        engine="none",
        program="echo",
        model_name="echo",
        model_file="model/echo.tflite",
        model_sha256="",
        labels=(),
        arena_bytes=0,
        constant_bytes=0,
        layers=(),
    )
    return project.write(folder, files, manifest, replace=False)


@pytest.fixture(scope="session")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Project, Built]]:
    """Return a function that builds a board's echo firmware, once a session."""
    made: dict[str, tuple[Project, Built]] = {}

    def build(board: str) -> tuple[Project, Built]:
        need_tools(board)
        if board not in made:
            written = write_echo(board, tmp_path_factory.mktemp(board) / "echo")
            made[board] = written, toolchain.build(written.folder)
        return made[board]

    return build
