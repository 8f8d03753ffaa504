"""An archive (tar, tar.gz, zip) becomes a folder or nothing: no path outside, no link, no bomb."""

import errno
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from edgeasr.errors import InputError, ToolError
from edgeasr.units import format_bytes

_CHUNK_BYTES = 1 << 18
_MOST_FILES = 1_000_000


def unpack(archive: Path, folder: Path, *, most_bytes: int) -> None:
    """Write the archive's regular files below the new folder `folder`; a failure removes it.

    Raises InputError when a member is absolute, climbs out, is a link or a device, or stands there
    twice; when it unpacks to more than `most_bytes` or a million files; or when it is damaged.
    """
    folder.mkdir(parents=True)
    left = most_bytes
    try:
        for count, (name, stream) in enumerate(_members(archive)):
            if count >= _MOST_FILES:
                raise InputError(f"{archive}: has more than {_MOST_FILES:,} files; it is not used")
            target = folder.joinpath(*_safe(name, archive))
            target.parent.mkdir(parents=True, exist_ok=True)
            left -= _copy(stream, target, left, archive, most_bytes)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise InputError(f"{archive}: is damaged ({error}); fetch it again") from None
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise _disk_error(archive, folder, error) from None
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _members(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    if zipfile.is_zipfile(archive):
        yield from _zip_members(archive)
        return
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.isdir():
                continue
            if not member.isreg():
                raise InputError(f'{archive}: member "{member.name}" is a link or a device; it is '
                                 "not used")  # fmt: skip
            stream = tar.extractfile(member)
            assert stream is not None, "a regular member has a stream"
            with stream:
                yield member.name, stream


def _zip_members(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(archive) as zipped:
        for member in zipped.infolist():
            if member.is_dir():
                continue
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG):
                raise InputError(f'{archive}: member "{member.filename}" is a link or a device; it '
                                 "is not used")  # fmt: skip
            with zipped.open(member) as stream:
                yield member.filename, stream


def _safe(name: str, archive: Path) -> tuple[str, ...]:
    """Return the parts of a member's path, or raise: it must stay below the folder anywhere."""
    path = PurePosixPath(name)
    bad = path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or "\0" in name
    if bad or not path.parts:
        raise InputError(f"{archive}: member {name!r} lies outside the folder; it is not used")
    return path.parts


def _copy(stream: IO[bytes], target: Path, left: int, archive: Path, most_bytes: int) -> int:
    written = 0
    try:
        with target.open("xb") as file:
            while chunk := stream.read(_CHUNK_BYTES):
                written += len(chunk)
                if written > left:
                    raise InputError(f"{archive}: unpacks to more than {format_bytes(most_bytes)}; "
                                     "it is not used")  # fmt: skip
                file.write(chunk)
    except FileExistsError:
        raise InputError(f'{archive}: has "{target.name}" twice; it is not used') from None
    return written


def _disk_error(archive: Path, folder: Path, error: OSError) -> Exception:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return ToolError(f"{folder.parent}: disk is full while unpacking {archive.name}; make room "
                         "and run the same command again")  # fmt: skip
    if error.errno is None:  # gzip.BadGzipFile
        return InputError(f"{archive}: is damaged ({error}); fetch it again")
    return ToolError(f"{folder}: {error.strerror} while unpacking {archive.name}")
