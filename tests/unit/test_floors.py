"""The architecture, kept: imports go down only, and starting costs little."""

import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from edgeasr import paths

_HEAVY = ("tensorflow", "keras", "librosa", "soxr", "numba", "tflite_micro", "ai_edge_litert")


def _run(*argv: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, *argv], capture_output=True, text=True, check=False)


def test_imports_go_down_only() -> None:
    root = Path(__file__).parents[2]
    lint = Path(sys.executable).with_name("lint-imports")

    done = subprocess.run([lint, "--no-cache"], cwd=root, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "module",
    [
        "boards",
        "data",
        "doctor",
        "export",
        "build",
        "flash",
        "hil",
        "run",
        "inspect",
        "import_",
        "bench",
    ],
)
def test_commands_without_training_start_light(module: str) -> None:
    done = _run(
        "-c",
        f"import sys, edgeasr.cli.{module}; print([m for m in {_HEAVY!r} if m in sys.modules])",
    )

    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize("module", ["train", "quantize"])
def test_help_of_training_starts_without_tensorflow(module: str) -> None:
    done = _run(
        "-c",
        f"import sys, edgeasr.cli.{module}; print('tensorflow' in sys.modules)",
    )

    assert done.stdout.strip() == "False", done.stderr


def test_help_is_quick() -> None:
    """Processor time, which other programs on a busy machine hardly change."""

    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert _run("-m", "edgeasr", "--help").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    best = min(seconds() for _ in range(5))

    assert best < 0.3


def test_the_runtime_knows_nothing_above_it() -> None:
    """C: model, then runtime, then port.h; the runtime includes no file of one board or port."""
    allowed = {"port.h", "board_config.h", "ear_protocol.h", "string.h", "arm_acle.h"}
    allowed |= {"arm_mve.h", "arm_neon.h"}
    allowed |= {f"std{n}.h" for n in ("bool", "def", "int", "align")} | {"limits.h"}
    allowed |= {header.name for header in paths.runtime().glob("*.h")}
    for source in sorted(paths.runtime().glob("*.[ch]")):
        included = set(re.findall(r'^#include ["<]([^">]+)[">]', source.read_text(), re.MULTILINE))
        assert included <= allowed, source.name


def test_the_runtime_never_allocates_or_prints() -> None:
    forbidden = re.compile(r"\b(malloc|calloc|realloc|free|alloca|printf|puts|abort|assert)\s*\(")
    for source in sorted(paths.runtime().glob("*.[ch]")):
        assert not forbidden.search(source.read_text()), source.name
