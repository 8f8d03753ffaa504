"""A URL becomes a file, whole and verified or not at all; a broken transfer goes on where it broke.

What has arrived lies in NAME.part beside the file, and that alone is left after an interruption.
"""

import errno
import hashlib
import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from edgeasr.errors import CheckError, ToolError
from edgeasr.units import format_bytes

_CHUNK_BYTES = 1 << 18
_TRIES = 5
# Bytes so far and, where the server says it, in all.
Progress = Callable[[int, int | None], None]


def download(
    url: str,
    file: Path,
    *,
    sha256: str | None = None,
    on_progress: Progress = lambda done, total: None,
    timeout_s: float = 30.0,
    pause_s: float = 1.0,
) -> str:
    """Fetch `url` into `file` and return its SHA-256 (hex); a file that is there and right is kept.

    Goes on from FILE.part with an HTTP Range request; a server that ignores it starts anew. A cut
    connection is tried again up to 5 times without progress, with pauses that double. Raises
    CheckError when the digest is another (the part is then deleted, since going on from wrong
    bytes is no use), ToolError when the server refuses, the network fails or the disk is full.
    """
    if file.is_file() and (found := digest(file)) == (sha256 or found).lower():
        return found
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(file.name + ".part")
    failures = 0
    while True:
        before = _size(part)
        reason = _transfer(url, part, on_progress, timeout_s)
        if reason is None:
            break
        after = _size(part)
        failures = 1 if after > before else failures + 1
        if failures >= _TRIES:
            raise ToolError(f"{url}: {reason}, {_TRIES} times; {_cure(part, after)}")
        time.sleep(pause_s * 2 ** (failures - 1))
    found = digest(part)
    if sha256 is not None and found != sha256.lower():
        size = part.stat().st_size
        part.unlink()
        raise CheckError(
            f"{url}: what arrived ({format_bytes(size)}) has SHA-256 {found}, {sha256} is right; "
            "it was deleted; try again, and if that gives the same, the file there has changed"
        )
    part.replace(file)
    return found


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _cure(part: Path, have: int) -> str:
    if not have:
        return "check the network and the address"
    return (
        f"{format_bytes(have)} are kept in {part}; run the same command again to go on from there"
    )


def digest(file: Path) -> str:
    """Return the SHA-256 of a file as hex."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _transfer(url: str, part: Path, on_progress: Progress, timeout_s: float) -> str | None:
    """Append to `part` what is missing; return None when it is whole, else why it stopped."""
    have = _size(part)
    request = urllib.request.Request(url, headers={"User-Agent": "edgeasr"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:
            start, total = _extent(answer, have)
            return _receive(answer, part, start, total, on_progress)
    except urllib.error.HTTPError as error:
        with error:
            return _refused(url, part, have, error)
    except urllib.error.URLError as error:
        return f"not reachable ({error.reason})"
    except (TimeoutError, ConnectionError, http.client.HTTPException) as error:
        return f"the connection broke ({str(error) or type(error).__name__})"
    except OSError as error:
        if error.filename is not None:
            raise ToolError(f"{part}: can not be written ({error.strerror})") from None
        return f"the network failed ({error})"


def _extent(answer: http.client.HTTPResponse, have: int) -> tuple[int, int | None]:
    """Return at which byte the body starts, and the size of the whole file where it is told."""
    length = answer.headers.get("Content-Length")
    if answer.status == 206:
        span, _, total = (
            answer.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
        )
        start = span.partition("-")[0]
        if start.isdigit() and int(start) <= have:
            return int(start), int(total) if total.isdigit() else None
        raise http.client.HTTPException("the server's range is not the one asked for")
    return 0, int(length) if length and length.isdigit() else None


def _receive(
    answer: http.client.HTTPResponse,
    part: Path,
    start: int,
    total: int | None,
    on_progress: Progress,
) -> str | None:
    try:
        with part.open("r+b" if start else "wb") as stream:
            stream.seek(start)
            stream.truncate()
            while chunk := answer.read(_CHUNK_BYTES):
                stream.write(chunk)
                on_progress(stream.tell(), total)
            done = stream.tell()
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise ToolError(
            f"{part}: disk is full after {format_bytes(part.stat().st_size)}; make room and run "
            "the same command again, it goes on from there"
        ) from None
    if total is not None and done < total:
        return f"the connection broke after {format_bytes(done)} of {format_bytes(total)}"
    return None


def _refused(url: str, part: Path, have: int, error: urllib.error.HTTPError) -> str | None:
    """Decide on an HTTP error: whole already, try again, or give up with ToolError."""
    if error.code == 416:
        if error.headers.get("Content-Range", "") == f"bytes */{have}":
            return None
        part.unlink()
        return "the server has another file than the part that is here"
    if error.code in (408, 429) or error.code >= 500:
        return f"the server answered {error.code} {error.reason}"
    raise ToolError(
        f"{url}: the server answered {error.code} {error.reason}; the file may have moved; give "
        "another address with --url, or fetch it by hand"
    )
