"""A project folder becomes a program with its sizes; a build that is stale is not handed out."""

import hashlib
import os
import platform
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edgeasr import boards, microlite, process, project
from edgeasr.boards import Board
from edgeasr.errors import InputError, ToolError
from edgeasr.project import PYTHON_ENGINES, Project
from edgeasr.toolchain import elf, parts, tools, uf2
from edgeasr.toolchain.parts import Part

_STAMP = "edgeasr.stamp"
_TIMEOUT_S = 900
# A tree of TFLite-Micro is some 300 files, compiled with the project.
_TREE_TIMEOUT_S = 7200
_TOP_FRAMES = 10


@dataclass(frozen=True)
class Built:
    """A program and what it takes.

    sections: bytes of each allocated section. flash_bytes: code, constants and initial values.
    ram_bytes: variables, the arena among them, and the stack's region. stack_bytes: that region.
    uf2: the program as a drive of the board's takes it; None for a board that has none.
    frames: (function, bytes of stack) of the largest frames, largest first, by the compiler.
    parts: flash and RAM of engine, model, arena …, by the linker's map.
    """

    elf: Path
    log: Path
    sections: Mapping[str, int]
    flash_bytes: int
    ram_bytes: int
    stack_bytes: int
    frames: tuple[tuple[str, int], ...]
    parts: Mapping[str, Part]
    uf2: Path | None


def build(folder: Path, *, jobs: int | None = None, tflm_root: Path | None = None) -> Built:
    """Build the project in `folder` into its folder `build`, with at most `jobs` compilers at once.

    tflm_root: where TFLite-Micro is, for a project of the engine `tflm`; else the environment says.

    Raises InputError when the folder is no project, ToolError when a program or library is missing
    (before any work) or fails.
    """
    made = _load(folder)
    board = boards.of_project(folder, made.manifest.board)
    cmake, generator = _tools(board, cxx=made.manifest.engine == "tflm")
    found = _library(made, board, tflm_root)
    target = _target(made)
    _make(target)
    _forget_other_builds(target, folder, generator)
    stamp = target / _STAMP
    stamp.unlink(missing_ok=True)
    configure = [cmake, "-S", folder, "-B", target, "-G", generator, *found]
    process.run(configure, log=target / "configure.log", timeout_s=_TIMEOUT_S)
    compiling = [cmake, "--build", target, "--parallel", str(jobs or os.cpu_count() or 1)]
    timeout_s = _TREE_TIMEOUT_S if found else _TIMEOUT_S
    process.run(compiling, log=target / "build.log", timeout_s=timeout_s)
    _write_uf2(program_path(made, board), board)
    stamp.write_text(_digest(made))
    return _measure(made, board)


def find_built(folder: Path) -> Built:
    """Return the program built in `folder` before; InputError when there is none or it is stale."""
    made = _load(folder)
    stamp = _target(made) / _STAMP
    cure = f"run 'edgeasr build {folder}'"
    if not stamp.is_file():
        raise InputError(f"{folder}: is not built; {cure}")
    if stamp.read_text() != _digest(made):
        raise InputError(f"{folder}: the program is older than its sources; {cure}")
    board = boards.of_project(folder, made.manifest.board)
    if not program_path(made, board).is_file():
        raise InputError(f"{folder}: the program of the last build is gone; {cure}")
    return _measure(made, board)


def _load(folder: Path) -> Project:
    """Read a project that CMake builds; InputError for one of another build system."""
    made = project.load(folder)
    if (other := made.manifest.build_system) != project.CMAKE:
        raise InputError(
            f"{folder}: is a project for {other}, which edgeasr does not build; build and flash it "
            f"as {folder / 'README.md'} says, then give hil and run the board's --port"
        )
    return made


def _make(target: Path) -> None:
    """Make the folder of the build; InputError where it cannot be written."""
    try:
        target.mkdir(exist_ok=True)
        tempfile.TemporaryFile(dir=target).close()
    except OSError as error:
        raise InputError(
            f"{target}: cannot be written: {error.strerror}; remove it, or make it writable"
        ) from None


def _library(made: Project, board: Board, root: Path | None) -> list[str]:
    """Return CMake's arguments that lead to TFLite-Micro; none for an engine without."""
    if made.manifest.engine != "tflm":
        return []
    given = {"TFLM_ROOT": str(root)} if root is not None else os.environ
    found = microlite.find(board, given)
    if "TFLM_ROOT" in found:
        found["TFLM_ROOT"] = str(Path(found["TFLM_ROOT"]).resolve())
    return [f"-D{name}={found.get(name, '')}" for name in microlite.VARIABLES]


def _tools(board: Board, *, cxx: bool) -> tuple[str, str]:
    """Return cmake's path and its generator, once every program that the build needs is there."""
    cmake = tools.require("cmake")
    maker = tools.require("ninja")
    native = board.port.hosted and platform.machine() == board.compiler.processor
    prefix = "" if native else board.compiler.prefix
    tools.require(f"{prefix}gcc")
    if cxx:
        _check_cxx(f"{prefix}g++")
    return cmake, "Unix Makefiles" if Path(maker).name == "make" else "Ninja"


def _check_cxx(program: str) -> None:
    if not tools.has_header(tools.require(program), "cstddef", "C++"):
        known = tools.tool(program)
        raise ToolError(
            f"{program}: finds no C++ library (no header cstddef), which the engine tflm needs; "
            f"install: {known.install}"
        )


def _target(made: Project) -> Path:
    return made.folder / "build"


def library(made: Project) -> Path:
    """Return where the build puts the library that python/listen.py loads."""
    return _target(made) / f"lib{made.manifest.program}.so"


def program_path(made: Project, board: Board) -> Path:
    """Return where the program of a project lies once it is built."""
    if made.manifest.engine in PYTHON_ENGINES:
        return library(made)
    suffix = "" if board.port.hosted else ".elf"
    return _target(made) / f"{made.manifest.program}{suffix}"


def _write_uf2(program: Path, board: Board) -> None:
    """Write the program beside itself as UF2, where the board is flashed that way."""
    if uf2.WAY in board.flash:
        family = uf2.family(board)
        program.with_suffix(uf2.SUFFIX).write_bytes(uf2.render(elf.image(program), family))


def _forget_other_builds(target: Path, folder: Path, generator: str) -> None:
    """Drop CMake's cache of a moved folder or of another generator, which CMake would refuse."""
    cache = target / "CMakeCache.txt"
    if not cache.is_file():
        return
    lines = cache.read_text(encoding="utf-8", errors="replace").splitlines()
    wanted = (
        f"CMAKE_HOME_DIRECTORY:INTERNAL={folder.resolve()}",
        f"CMAKE_GENERATOR:INTERNAL={generator}",
    )
    if not all(line in lines for line in wanted):
        cache.unlink()
        shutil.rmtree(target / "CMakeFiles", ignore_errors=True)


def _digest(made: Project) -> str:
    """Return a digest of every file of the project; the build folder is none of them."""
    digest = hashlib.sha256()
    for path in sorted(made.folder.rglob("*")):
        name = path.relative_to(made.folder)
        if path.is_file() and name.parts[0] != "build":
            content = hashlib.sha256(path.read_bytes()).digest()
            digest.update(str(name).encode() + b"\0" + content)
    return digest.hexdigest()


def _measure(made: Project, board: Board) -> Built:
    program = program_path(made, board)
    sections = elf.sections(program)
    return Built(
        elf=program,
        log=_target(made) / "build.log",
        sections={section.name: section.bytes for section in sections},
        flash_bytes=sum(section.bytes for section in sections if section.loaded),
        ram_bytes=sum(section.bytes for section in sections if section.writable),
        stack_bytes=sum(section.bytes for section in sections if section.name == ".stack"),
        frames=_frames(_target(made)),
        parts=parts.read(_target(made) / f"{_link(made)}.map"),
        uf2=program.with_suffix(uf2.SUFFIX) if uf2.WAY in board.flash else None,
    )


def _link(made: Project) -> str:
    """Return the name of CMake's target."""
    return "listener" if made.manifest.engine in PYTHON_ENGINES else "firmware"


def _frames(target: Path) -> tuple[tuple[str, int], ...]:
    """Read the compiler's .su files: `file:line:column:function <tab> bytes <tab> kind`."""
    frames: dict[str, int] = {}
    for path in target.rglob("*.su"):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            where, count, *_ = line.split("\t")
            function = where.rsplit(":", 1)[-1]
            frames[function] = max(int(count), frames.get(function, 0))
    return tuple(sorted(frames.items(), key=lambda f: (-f[1], f[0]))[:_TOP_FRAMES])
