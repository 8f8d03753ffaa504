"""A public data set becomes a folder in its official layout: fetched and verified, or absent."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlparse

from edgeasr import paths
from edgeasr.audio import archive, catalog, public
from edgeasr.audio.download import Progress, download
from edgeasr.audio.public import PublicSet
from edgeasr.errors import CheckError, InputError, ToolError
from edgeasr.units import format_bytes

_RECEIPT = "edgeasr-source.json"


def home() -> Path:
    """Return the folder where fetched sets lie."""
    return paths.cache() / "data"


def fetch(
    wanted: PublicSet | str,
    folder: Path,
    *,
    url: str | None = None,
    keep_archive: bool = False,
    on_progress: Progress = lambda done, total: None,
    on_step: Callable[[str], None] = lambda text: None,
    timeout_s: float = 30.0,
    pause_s: float = 1.0,
) -> Path:
    """Return folder/NAME with the files of a set (or of its name), fetched unless they are there.

    folder/NAME appears whole and checked (digest, layout, number of recordings) or not at all. An
    interruption leaves only the archive's .part, from which the next call goes on.
    """
    if isinstance(wanted, str):
        wanted = public.named(wanted)
    target = folder / wanted.name
    if target.exists():
        on_step(f"{target} is there already")
        return target
    folder.mkdir(parents=True, exist_ok=True)
    _check_room(wanted, folder)
    source = url or wanted.url
    packed = folder / f"{wanted.name}-{Path(urlparse(source).path).name}"
    on_step(f"fetching {source}")
    found = download(source, packed, sha256=wanted.sha256, on_progress=on_progress,
                     timeout_s=timeout_s, pause_s=pause_s)  # fmt: skip
    on_step(f"SHA-256 {found}" + ("" if wanted.sha256 else f" ({wanted.note})"))
    on_step(f"unpacking {packed.name}")
    _install(wanted, packed, target, {"url": source, "sha256": found})
    if not keep_archive:
        packed.unlink()
    return target


def _check_room(wanted: PublicSet, folder: Path) -> None:
    needed = wanted.archive_bytes + wanted.unpacked_bytes
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ToolError(
            f"{folder}: has {format_bytes(free)} free, {wanted.name} needs about "
            f"{format_bytes(needed)} (archive and recordings); make room or choose another --to"
        )


def _install(wanted: PublicSet, packed: Path, target: Path, receipt: dict[str, str]) -> None:
    scratch = target.with_name(f".{target.name}.unpacking")
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        archive.unpack(packed, scratch, most_bytes=2 * wanted.unpacked_bytes)
        unpacked = scratch / wanted.top if wanted.top else scratch
        _check_content(wanted, unpacked)
        (unpacked / _RECEIPT).write_text(json.dumps(receipt, indent=2) + "\n")
        unpacked.replace(target)
    except (CheckError, InputError):
        packed.unlink()
        raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _check_content(wanted: PublicSet, unpacked: Path) -> None:
    if not catalog.LAYOUTS[wanted.layout].fits(unpacked):
        raise CheckError(
            f"{wanted.url}: does not hold {wanted.title} in its official layout; it was deleted"
        )
    clips = catalog.load(unpacked, wanted.layout)
    count = sum(clip.segment_s is None for clip in clips)
    if count != wanted.recordings:
        raise CheckError(
            f"{wanted.url}: holds {count:,} recordings, {wanted.title} has {wanted.recordings:,}; "
            "it was deleted"
        )
