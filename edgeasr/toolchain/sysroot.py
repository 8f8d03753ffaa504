"""A Raspberry Pi's Python for this computer: Debian's arm64 packages and PyPI's wheels, unpacked.

Nothing is installed: apt works in a folder of its own, for another architecture than this one's,
and what it and pip bring is unpacked into the cache, once. `python -m edgeasr.toolchain.sysroot`
makes it ahead of the first use and prints where it lies.
"""

import hashlib
import os
import shutil
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from edgeasr import paths, process
from edgeasr.errors import EdgeasrError, ToolError

# Debian's release has the Python that the wheels are for, and a C library as new as they need.
_SUITE, _PYTHON = "bookworm", "python3.11"
_MIRROR = "http://deb.debian.org/debian"
_KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# The interpreter, and the libraries that it, ctypes, numpy and the runtime load.
_PACKAGES = (
    "python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib",
    "libc6", "libgcc-s1", "libstdc++6", "zlib1g", "libexpat1", "libffi8", "libbz2-1.0", "liblzma5",
    "libssl3", "libcrypt1",
)  # fmt: skip
_WHEELS = Path(__file__).with_name("sysroot_wheels.txt")
_PLATFORMS = ("manylinux_2_34_aarch64", "manylinux2014_aarch64")
_TIMEOUT_S = 600

_APT = """\
APT::Architecture "arm64";
APT::Architectures "arm64";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "3";
Dir::State "{folder}/state";
Dir::State::status "{folder}/state/status";
Dir::Cache "{folder}/cache";
Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "-";
"""


@dataclass(frozen=True)
class Sysroot:
    """root: what QEMU's user mode takes as the file system of the program's libraries; site:
    folder of the Python packages."""

    root: Path
    site: Path

    @property
    def python(self) -> Path:
        return self.root / "usr" / "bin" / _PYTHON


def sysroot() -> Sysroot:
    """Return the sysroot, from the cache if it is there.

    Raises ToolError with what is missing when it cannot be made.
    """
    recipe = repr((_SUITE, _PACKAGES, _PLATFORMS)).encode() + _WHEELS.read_bytes()
    target = paths.cache() / "sysroots" / hashlib.sha256(recipe).hexdigest()[:16]
    if not target.is_dir():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            try:
                _make(Path(scratch))
            except ToolError as error:
                raise ToolError(
                    "the Raspberry Pi's Python could not be put together from Debian's and PyPI's "
                    f"packages, and its programs cannot run here without: {error}"
                ) from None
            _move(Path(scratch) / "made", target)
    return Sysroot(target / "root", target / "site")


def _move(made: Path, target: Path) -> None:
    """Rename a folder, unless another process was faster: what it made is the same."""
    try:
        made.rename(target)
    except OSError:
        if not target.is_dir():
            raise


def _make(scratch: Path) -> None:
    """Fill made/root and made/site of an empty folder."""
    root, site = scratch / "made" / "root", scratch / "made" / "site"
    for folder in (root, site):
        folder.mkdir(parents=True)
    for package in _debian_packages(scratch / "apt"):
        process.run([_program("dpkg-deb", "dpkg"), "-x", package, root])
    # A program that follows an absolute link would leave the sysroot.
    for link in [path for path in root.rglob("*") if path.is_symlink()]:
        if (pointed := link.readlink()).is_absolute():
            link.unlink()
            link.symlink_to(os.path.relpath(root / pointed.relative_to("/"), link.parent))
    for wheel in _wheels(scratch / "wheels"):
        with zipfile.ZipFile(wheel) as packed:
            packed.extractall(site)


def _debian_packages(folder: Path) -> list[Path]:
    """Download the packages of the other architecture into a folder."""
    apt = _program("apt-get", "apt")
    if not _KEYS.is_file():
        raise ToolError(f"{_KEYS} not found; install: apt-get install debian-archive-keyring")
    for part in ("state/lists/partial", "cache/archives/partial"):
        (folder / part).mkdir(parents=True)
    (folder / "state" / "status").touch()
    mirror = os.environ.get("EDGEASR_DEBIAN_MIRROR", _MIRROR)
    (folder / "sources.list").write_text(f"deb [signed-by={_KEYS}] {mirror} {_SUITE} main\n")
    (folder / "apt.conf").write_text(_APT.format(folder=folder))
    settings = {**os.environ, "APT_CONFIG": str(folder / "apt.conf")}
    for command in (["update", "-q"], ["download", "-q", *_PACKAGES]):
        process.run([apt, *command], cwd=folder, env=settings, timeout_s=_TIMEOUT_S)
    return sorted(folder.glob("*.deb"))


def _wheels(folder: Path) -> list[Path]:
    """Download the wheels of the other architecture, each checked against its hash."""
    wanted = [word for name in _PLATFORMS for word in ("--platform", name)]
    command = [
        sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps",
        "--require-hashes", "--only-binary=:all:", "--implementation", "cp", "--python-version",
        _PYTHON.removeprefix("python"), *wanted, "--dest", folder, "-r", _WHEELS,
    ]  # fmt: skip
    process.run(command, timeout_s=_TIMEOUT_S)
    return sorted(folder.glob("*.whl"))


def _program(name: str, package: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise ToolError(f"{name} is not on PATH (Debian's package {package})")
    return path


if __name__ == "__main__":
    try:
        print(sysroot().root.parent)
    except EdgeasrError as error:
        print(f"edgeasr: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
