"""A firmware project on disk: the folder that `export` writes, and its manifest `project.json`.

The manifest says which model, board, engine and generator the files are of, and what each layer is;
the host reads it to know what to expect of the firmware.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from edgeasr.errors import InputError

MANIFEST = "project.json"
CMAKE = "cmake"
FORMAT = 1
# Engines that are a Python program with a library, with the runtime's kernels that give the
# firmware's bits, and with its fast ones.
PYTHON_ENGINES = ("tflite", "xnnpack")


@dataclass(frozen=True)
class Layer:
    """One layer of the firmware's model: a kernel call, and what it came from.

    index: its number on the wire. op, tensor: operator and output tensor in the `.tflite`.
    constant_bytes: weights and tables in flash. packing: the form that its weights are packed in,
    None for a layer without any; their codes have weight_bits, and weight_count of them (as many
    bytes when raw) take weight_bytes.
    """

    index: int
    op: int
    kind: str
    kernel: str
    tensor: int
    macs: int
    constant_bytes: int
    packing: str | None = None
    weight_bits: int = 0
    weight_count: int = 0
    weight_bytes: int = 0


@dataclass(frozen=True)
class Manifest:
    """What a project is of. model_file: path of the `.tflite` in the project.

    build_system: what builds it, `cmake` or another of `export --project`. hop: frames that an
    inference takes where it is incremental, 0 where it takes the whole window; steps: inferences
    that a whole window then takes. state_bytes: RAM beside the arena, kept between inferences.
    runtime_version: of the runtime's sources in it; 0 in a manifest that does not say.
    """

    generator: str
    board: str
    engine: str
    program: str
    model_name: str
    model_file: str
    model_sha256: str
    labels: tuple[str, ...]
    arena_bytes: int
    constant_bytes: int
    layers: tuple[Layer, ...]
    build_system: str = CMAKE
    hop: int = 0
    steps: int = 1
    state_bytes: int = 0
    runtime_version: int = 0


@dataclass(frozen=True)
class Project:
    folder: Path
    manifest: Manifest

    @property
    def model_path(self) -> Path:
        return self.folder / self.manifest.model_file


def load(folder: Path) -> Project:
    """Read a project. Raises InputError when the folder is none, or is of another format."""
    path = folder / MANIFEST
    if not path.is_file():
        raise InputError(
            f"{folder}: not an edgeasr project (no {MANIFEST} in it); write one with "
            "'edgeasr export --board BOARD --out FOLDER'"
        )
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw.pop("format") != FORMAT:
            raise ValueError("another format")
        layers = tuple(Layer(**layer) for layer in raw.pop("layers"))
        manifest = Manifest(**{**raw, "labels": tuple(raw["labels"]), "layers": layers})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: not readable as a project of format {FORMAT} ({error}); export it again"
        ) from None
    return Project(folder, manifest)


def write(
    folder: Path, files: Mapping[str, str | bytes], manifest: Manifest, *, replace: bool
) -> Project:
    """Write a project whole or not at all: into a folder beside, then renamed.

    files: content by path relative to the folder. An existing folder is taken only when it is
    empty, or when it holds a project and `replace` is set.
    """
    _check_target(folder, replace)
    record = {"format": FORMAT, **asdict(manifest)}
    everything = {**files, MANIFEST: json.dumps(record, indent=2) + "\n"}
    scratch = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        for name, content in everything.items():
            target = scratch / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.encode() if isinstance(content, str) else content)
        scratch.chmod(0o777 & ~_umask())
        if folder.exists():
            folder.replace(scratch.with_suffix(".old"))
        scratch.replace(folder)
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be written: {error.strerror}; choose another --out"
        ) from None
    finally:
        for leftover in (scratch, scratch.with_suffix(".old")) if scratch else ():
            shutil.rmtree(leftover, ignore_errors=True)
    return load(folder)


def _check_target(folder: Path, replace: bool) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(f"{folder}: is a file; give a folder that is new or empty")
    if not any(folder.iterdir()):
        return
    if not (folder / MANIFEST).is_file():
        raise InputError(
            f"{folder}: is not empty and not an edgeasr project; give a folder that is new or empty"
        )
    if not replace:
        raise InputError(
            f"{folder}: holds a project already; add --force to replace it, or choose another --out"
        )


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
