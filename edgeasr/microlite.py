"""TFLite-Micro outside edgeasr: where its library is, and the command of upstream that builds it.

edgeasr does not bring TFLite-Micro. It is taken from TFLM_ROOT, a checkout of upstream after its
`make … microlite` or a tree that upstream's create_tflm_tree.py wrote, or from TFLM_LIBRARY with
TFLM_INCLUDE_DIRS. The generated FindTFLM.cmake finds it by the same rules.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edgeasr.boards import Board
from edgeasr.errors import ToolError

UPSTREAM = "https://github.com/tensorflow/tflite-micro"
VARIABLES = ("TFLM_ROOT", "TFLM_LIBRARY", "TFLM_INCLUDE_DIRS")
MAKEFILE = "tensorflow/lite/micro/tools/make/Makefile"
HEADER = "tensorflow/lite/micro/micro_interpreter.h"
LIBRARY = "libtensorflow-microlite.a"
# What its interpreter and kernels take of the stack beyond what the engine ear does, generously.
STACK_BYTES = 2560
# Of several builds in a checkout the first of these is taken.
BUILD_TYPES = ("release", "release_with_logs", "default")
KERNELS = ("cmsis_nn", "")

# What upstream calls the cores for which it has names, by the floating point of their calls.
_CORES: Mapping[str, Mapping[str, str]] = {
    "cortex-m0": {"soft": "cortex-m0"},
    "cortex-m0plus": {"soft": "cortex-m0plus"},
    "cortex-m3": {"soft": "cortex-m3"},
    "cortex-m4": {"soft": "cortex-m4", "hard": "cortex-m4+fp", "softfp": "cortex-m4+sfp"},
    "cortex-m7": {"soft": "cortex-m7", "hard": "cortex-m7+fp"},
    "cortex-m33": {"soft": "cortex-m33+nodsp", "hard": "cortex-m33"},
    "cortex-m55": {"hard": "cortex-m55", "softfp": "cortex-m55+nofp"},
    "cortex-m85": {"hard": "cortex-m85"},
}


@dataclass(frozen=True)
class Target:
    """How upstream calls a board's core: `make` variables TARGET and TARGET_ARCH.

    arch "native" stands for the processor of the computer that builds. prefix: of the compiler,
    where it is not the one that upstream takes. kernels: optimized ones that suit the core.
    """

    name: str
    arch: str
    prefix: str = ""
    kernels: str = ""

    @property
    def command(self) -> str:
        """Upstream's command that builds the library, to be run in a checkout."""
        words = ["make", "-f", MAKEFILE]
        if self.arch != "native":
            words += [f"TARGET={self.name}", f"TARGET_ARCH={self.arch}"]
        if self.prefix:
            words.append(f"TARGET_TOOLCHAIN_PREFIX={self.prefix}")
        if self.kernels:
            words.append(f"OPTIMIZED_KERNEL_DIR={self.kernels}")
        return " ".join([*words, f"BUILD_TYPE={BUILD_TYPES[0]}", "microlite"])

    def builds(self, processor: str) -> list[str]:
        """Return the folders in which upstream puts the library, below `gen`, the best first."""
        arch = processor if self.arch == "native" else self.arch
        kernels = KERNELS if self.kernels else ("",)
        return [
            "_".join(filter(None, (self.name, arch, build_type, kernel, "gcc")))
            for kernel in kernels
            for build_type in BUILD_TYPES
        ]


def target(board: Board) -> Target | None:
    """Return how upstream calls the board's core; None for one that it has no name for."""
    if board.port.hosted:
        native = board.compiler.processor == "native"
        return Target("linux", board.compiler.processor, "" if native else board.compiler.prefix)
    flags = [flag.partition("=") for flag in board.compiler.c_flags]
    call = next((value for key, _, value in flags if key == "-mfloat-abi"), "soft")
    arch = _CORES.get(board.core, {}).get(call)
    return Target("cortex_m_generic", arch, kernels="cmsis_nn") if arch else None


def find(board: Board, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables that lead FindTFLM.cmake to the library, for the board's core.

    Raises ToolError when they are not set, or lead to no library of that core.
    """
    given = {name: environment[name] for name in VARIABLES if environment.get(name)}
    library, folders = given.get("TFLM_LIBRARY"), given.get("TFLM_INCLUDE_DIRS")
    if library or folders:
        if not (library and folders):
            raise ToolError(
                "TFLM_LIBRARY and TFLM_INCLUDE_DIRS belong together, and only one is set; set both"
            )
        places = folders.replace(";", os.pathsep).split(os.pathsep)
        for path in (library, *places):
            if not Path(path).exists():
                raise ToolError(f"TFLite-Micro: {path} does not exist; {advice(board)}")
        if not Path(library).is_file():
            raise ToolError(f"TFLM_LIBRARY: {library} is no file; {advice(board)}")
        if not any((Path(place) / HEADER).is_file() for place in places):
            raise ToolError(
                f"TFLM_INCLUDE_DIRS: no {HEADER} below {folders}; name the checkout and the "
                "folders of its third-party headers, flatbuffers/include among them"
            )
        return given
    if "TFLM_ROOT" not in given:
        raise ToolError(f"TFLite-Micro was not found: TFLM_ROOT is not set; {advice(board)}")
    check_root(Path(given["TFLM_ROOT"]), board)
    return given


def check_root(root: Path, board: Board) -> None:
    """Raise ToolError unless `root` is a tree of sources, or holds a library for the board."""
    if not (root / HEADER).is_file():
        raise ToolError(f"TFLM_ROOT: {root} holds no TFLite-Micro (no {HEADER}); {advice(board)}")
    if not (root / MAKEFILE).is_file():
        return
    known = target(board)
    builds = known.builds(os.uname().machine) if known else []
    if not any((root / "gen" / build / "lib" / LIBRARY).is_file() for build in builds):
        raise ToolError(
            f"TFLM_ROOT: {root} holds no library for {board.core} (no "
            f"gen/{builds[0] if builds else '*'}/lib/{LIBRARY}); {advice(board)}"
        )


def advice(board: Board) -> str:
    """Say how to get the library for a board."""
    known = target(board)
    if known is None:
        return (
            f"build it for {board.core} and give TFLM_LIBRARY and TFLM_INCLUDE_DIRS; upstream's "
            f"Makefile ({UPSTREAM}) has no name for this core"
        )
    return f"in a checkout of {UPSTREAM} run '{known.command}', then set TFLM_ROOT to the checkout"


def c_context(board: Board) -> dict[str, object]:
    """Return what the template of FindTFLM.cmake knows of upstream and of the board's core."""
    known = target(board)
    processor = "${CMAKE_HOST_SYSTEM_PROCESSOR}"
    return {
        "upstream": UPSTREAM,
        "makefile": MAKEFILE,
        "header": HEADER,
        "library": LIBRARY,
        "command": known.command if known else "",
        "builds": known.builds(processor) if known else [],
        "kernels": known.kernels if known else "",
        "core": board.core,
    }
