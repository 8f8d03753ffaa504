"""The runtime's own C, compiled for this computer and called from Python.

The host never re-implements what the device computes: it compiles the same sources into a shared
library, kept in the cache under a hash of the sources, the compiler and the flags.
"""

import ctypes
import functools
import hashlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from edgeasr import paths, process
from edgeasr.errors import ToolError

# -ffp-contract=off: the device's float steps must not be fused on one side only.
_FLAGS = ("-std=c11", "-O2", "-fPIC", "-shared", "-ffp-contract=off", "-fno-strict-aliasing")


@functools.cache
def compiler() -> tuple[str, ...]:
    """Return the command of the host's C compiler: $CC, cc, gcc, clang."""
    chosen = os.environ.get("CC", "").split()
    for command in [chosen] if chosen else [["cc"], ["gcc"], ["clang"]]:
        if path := shutil.which(command[0]):
            return (path, *command[1:])
    raise ToolError(
        "no C compiler for this computer (tried $CC, cc, gcc, clang); the front end on the host is "
        "the device's own C and needs one; install it with: apt-get install gcc"
    )


@functools.cache
def load(sources: tuple[str, ...], include_dirs: tuple[Path, ...] = ()) -> ctypes.CDLL:
    """Compile the runtime files named in `sources` and return the loaded library.

    `sources` are file names in the runtime folder, or absolute paths; the runtime folder is on the
    include path. Raises ToolError when there is no compiler or the sources do not compile.
    """
    files = [paths.runtime() / name for name in sources]
    include = [paths.runtime(), *include_dirs]
    command = compiler()
    target = paths.cache() / "hostlib" / f"{_digest(files, include, command)}.so"
    if not target.is_file():
        _build(files, include, command, target)
    return ctypes.CDLL(str(target))


def _digest(files: Sequence[Path], include: Sequence[Path], command: tuple[str, ...]) -> str:
    digest = hashlib.sha256(repr((command, _FLAGS)).encode())
    digest.update(str(Path(command[0]).stat().st_mtime_ns).encode())
    headers = [h for folder in include for h in sorted(folder.glob("*.h"))]
    for file in (*files, *headers):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:24]


def _build(
    files: Sequence[Path], include: Sequence[Path], command: tuple[str, ...], target: Path
) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        built = Path(scratch) / target.name
        flags = [f"-I{folder}" for folder in include]
        process.run([*command, *_FLAGS, *flags, *files, "-o", built, "-lm"])
        built.replace(target)
