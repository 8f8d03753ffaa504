"""A manifest CSV, one row per recording, becomes clips; paths are relative to its folder.

A path may leave that folder (`../keywords/…`) only to an audio file that exists; absolute paths are
refused, so a manifest from elsewhere cannot name what it likes.
"""

import csv
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from edgeasr.audio.clip import SPLITS, Clip, assign_splits, check_splits
from edgeasr.audio.pcm import SUFFIXES
from edgeasr.errors import InputError

COLUMNS = ("file", "label", "word", "speaker", "split", "source", "licence", "duration_s")
_REQUIRED = ("file", "label")
_SPLIT_NAMES: Mapping[str, str] = {
    **{name: name for name in SPLITS},
    "training": "train", "validation": "val", "valid": "val", "dev": "val", "testing": "test",
}  # fmt: skip
_LONGEST_LABEL = 64


def fits(path: Path) -> bool:
    """True for a CSV file, and for a folder with a manifest.csv."""
    return path.suffix.lower() == ".csv" if path.is_file() else (path / "manifest.csv").is_file()


def load(path: Path, *, check: bool = True) -> list[Clip]:
    """Return the manifest's clips in its order.

    Columns: file and label, and optionally word, speaker, split, source, licence, duration_s;
    others are passed over. Without a split column splits are assigned by speaker. Raises
    InputError with the line of what is wrong.
    """
    file = path / "manifest.csv" if path.is_dir() else path
    clips = [_clip(row, file, line) for line, row in _rows(file)]
    if not clips:
        raise InputError(f"{file}: has no rows; each row names one recording")
    without = sum(not clip.split for clip in clips)
    if without == len(clips):
        return assign_splits(clips)
    if without:
        raise InputError(
            f"{file}: {without} of {len(clips)} rows have no split; fill the column in every row, "
            "or leave it empty in all to have splits assigned by speaker"
        )
    if check:
        check_splits(clips, str(file))
    return clips


def write(file: Path, clips: list[Clip]) -> None:
    """Write a manifest of clips that lie in its folder or below."""
    with file.open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(COLUMNS)
        for clip in clips:
            name = clip.path.relative_to(file.parent).as_posix()
            length = "" if clip.duration_s is None else f"{clip.duration_s:.4f}"
            rows.writerow([name, clip.label, clip.word, clip.speaker, clip.split, clip.source,
                           clip.licence, length])  # fmt: skip


def _rows(file: Path) -> list[tuple[int, dict[str, str]]]:
    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream, strict=True)
            columns = reader.fieldnames or []
            missing = [name for name in _REQUIRED if name not in columns]
            if missing:
                raise InputError(
                    f"{file}: column {' and '.join(missing)} missing; it has "
                    f"{', '.join(columns) or 'none'}; needed are {', '.join(_REQUIRED)}"
                )
            return [(reader.line_num, row) for row in reader]
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"{file}: is not readable as CSV in UTF-8 ({error})") from None
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}") from None


def _clip(row: dict[str, str], file: Path, line: int) -> Clip:
    where = f"{file}:{line}"
    text = {name: (row.get(name) or "").strip(" ") for name in COLUMNS}
    speaker = text["speaker"]
    path = audio_path(file.parent, text["file"], where)
    return Clip(
        path=path,
        label=label(text["label"], where),
        word=text["word"],
        speaker=speaker,
        split=_split(text["split"], where),
        source=text["source"] or _source(text["file"], speaker, file.parent),
        licence=text["licence"],
        duration_s=_duration(text["duration_s"], where),
        synthetic=speaker.startswith("synthetic:"),
    )


def label(text: str, where: str) -> str:
    """Return the label, or raise InputError: empty, longer than 64, or with control characters."""
    if not text:
        raise InputError(f"{where}: label is empty; each recording needs one")
    if not text.isprintable():
        raise InputError(f"{where}: label {text!r} has a character that does not print; rename it")
    if len(text) > _LONGEST_LABEL:
        raise InputError(f'{where}: label "{text[:20]}…" has {len(text)} characters; at most '
                         f"{_LONGEST_LABEL} are allowed")  # fmt: skip
    return text


def audio_path(folder: Path, name: str, where: str) -> Path:
    """Return the audio file that `name` means from `folder`, or raise InputError."""
    plain = PurePosixPath(name)
    if not name or "\0" in name or "\\" in name or plain.is_absolute() or ":" in plain.parts[0]:
        raise InputError(
            f"{where}: file {name!r} is not allowed; write a path relative to the manifest's "
            "folder, with /"
        )
    path = folder / plain
    if path.suffix.lower() not in SUFFIXES:
        allowed = ", ".join(sorted(SUFFIXES))
        raise InputError(f'{where}: file "{name}" is not audio by its name; allowed: {allowed}')
    if not path.is_file():
        raise InputError(f'{where}: file "{name}" does not exist')
    return path


def _split(text: str, where: str) -> str:
    if text and text.lower() not in _SPLIT_NAMES:
        raise InputError(f'{where}: split "{text}" is not known; allowed: {", ".join(SPLITS)}')
    return _SPLIT_NAMES.get(text.lower(), "")


def _source(name: str, speaker: str, folder: Path) -> str:
    """Name the data set: what stands before `:` in the speaker, else the first folder."""
    if ":" in speaker:
        return speaker.split(":", 1)[0]
    parts = [part for part in PurePosixPath(name).parts[:-1] if part != ".."]
    return parts[0] if parts else folder.resolve().name


def _duration(text: str, where: str) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        raise InputError(f'{where}: duration_s "{text}" is not a number') from None
