"""All C of the runtime compiles under the strict flags, and each header stands alone."""

import subprocess
from pathlib import Path

import pytest

from edgeasr import paths
from tests.conftest import need

_STRICT = (
    "-std=c11 -Wall -Wextra -Wpedantic -Wconversion -Wdouble-promotion -Wshadow -Wundef "
    "-Wcast-align -Wmissing-prototypes -Wvla -Werror -O2"
).split()
_TARGETS = {
    "host": ["gcc", "-fsanitize=address,undefined"],
    "cortex-m4": [
        "arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard",
        "-mfpu=fpv4-sp-d16",
    ],
    "cortex-m0plus": ["arm-none-eabi-gcc", "-mcpu=cortex-m0plus", "-mthumb"],
    "aarch64": ["aarch64-linux-gnu-gcc"],
}  # fmt: skip
# These come with a project: each board and each model generates its own.
_GENERATED = ("ear_protocol.h", "board_config.h", "model.h", "speech.h")


def _needs_generated(file: Path) -> bool:
    return any(f'"{name}"' in file.read_text() for name in _GENERATED)


@pytest.mark.parametrize("target", _TARGETS)
def test_runtime_compiles(target: str, tmp_path: Path) -> None:
    program, *flags = _TARGETS[target]
    need(program)
    sources = [f for f in sorted(paths.runtime().glob("*.c")) if not _needs_generated(f)]
    headers = [f for f in sorted(paths.runtime().glob("*.h")) if not _needs_generated(f)]
    assert len(sources) > 20
    for header in headers:
        alone = tmp_path / f"{header.stem}_alone.c"
        alone.write_text(f'#include "{header.name}"\ntypedef int not_empty_t;\n')
        sources.append(alone)
    include = [f"-I{paths.runtime()}", f"-I{paths.firmware_templates() / 'port'}"]
    command = [program, *flags, *_STRICT, *include, "-c", *map(str, sources)]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert not done.stderr
