"""What each part of a firmware takes of flash and RAM, from the linker's map.

The parts are told by the object files that sections come from. What the map does not name (fill
between sections, the stack) is in no part.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ENGINE, MODEL, ARENA, FRONT_END = "engine", "model", "arena", "front end"
PROTOCOL, BOARD, LIBRARY = "protocol", "board", "C library"
PARTS = (ENGINE, MODEL, ARENA, FRONT_END, PROTOCOL, BOARD, LIBRARY)

# An input section: name (its line may break after it), address, size, object file.
_SECTION = re.compile(
    r"^ (?P<name>\.[\w.$-]+|COMMON)\s+0x(?P<address>[0-9a-f]+)\s+0x(?P<size>[0-9a-f]+)\s"
    r"(?P<file>\S.*)$",
    re.MULTILINE,
)
_BEGIN = "Linker script and memory map"
_FLASH = (".text", ".rodata", ".vectors", ".ARM", ".data", ".init", ".fini", ".eh_frame")
_RAM = (".data", ".bss", ".tbss", ".tdata", "COMMON")
_RUNTIME = (
    (
        FRONT_END,
        ("ear_frontend", "ear_fft", "ear_mel", "ear_decision", "ear_recognizer", "ear_microphone"),
    ),
    (PROTOCOL, ("ear_session", "ear_frames")),
)


@dataclass(frozen=True)
class Part:
    """Bytes of flash (code, constants, initial values) and of RAM."""

    flash_bytes: int = 0
    ram_bytes: int = 0


def read(map_file: Path) -> Mapping[str, Part]:
    """Return what each part takes, by its name; nothing without a map."""
    if not map_file.is_file():
        return {}
    text = map_file.read_text(encoding="utf-8", errors="replace").partition(_BEGIN)[2]
    found = dict.fromkeys(PARTS, Part())
    for name, size, file in _sections(text):
        part = _part(name, file)
        found[part] = Part(
            found[part].flash_bytes + size * name.startswith(_FLASH),
            found[part].ram_bytes + size * name.startswith(_RAM),
        )
    return {name: part for name, part in found.items() if part != Part()}


def flash_by_file(map_file: Path) -> Mapping[str, int]:
    """Return the flash bytes of each source file of the runtime, by its name."""
    if not map_file.is_file():
        return {}
    text = map_file.read_text(encoding="utf-8", errors="replace").partition(_BEGIN)[2]
    found: dict[str, int] = {}
    for name, size, file in _sections(text):
        folder, _, object_name = file.rpartition("/")
        if folder.endswith("/runtime") and name.startswith(_FLASH):
            source = object_name.removesuffix(".obj").removesuffix(".o")
            found[source] = found.get(source, 0) + size
    return found


def _sections(text: str) -> Iterator[tuple[str, int, str]]:
    for match in _SECTION.finditer(text):
        size = int(match["size"], 16)
        if size and match["name"].startswith((*_FLASH, *_RAM)):
            yield match["name"], size, match["file"]


def _part(section: str, file: str) -> str:
    folder, _, name = file.rpartition("/")
    if ".a(" in name:
        return ENGINE if "tensorflow-microlite" in name or "ear_tflm" in name else LIBRARY
    if folder.endswith("/model") or "CMakeFiles/ear_tflm.dir" in folder:
        return _part_of_model(section, name)
    if folder.endswith("/runtime"):
        return next((part for part, names in _RUNTIME if name.startswith(names)), ENGINE)
    if folder.endswith(("/port", "/src")):
        return BOARD
    return LIBRARY


def _part_of_model(section: str, name: str) -> str:
    if name.startswith("speech."):
        return FRONT_END
    if section.startswith(".bss") and "arena" in section:
        return ARENA
    constants = section.startswith(".rodata") and not name.startswith("model.cpp")
    return MODEL if constants else ENGINE
