"""The labels of TFLite's own metadata: a flatbuffer `TFLITE_METADATA`, and a zip behind the model.

Layout: tensorflow/lite/experimental/support/metadata/metadata_schema.fbs, identifier M001. The file
is hostile until checked: offsets may lead anywhere, and an archive may unpack to any size.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from edgeasr.errors import InputError
from edgeasr.graph import Graph

METADATA_NAME = "TFLITE_METADATA"
_IDENTIFIER = b"M001"
# Places of fields in their tables.
_SUBGRAPHS, _MODEL_FILES = 3, 6  # ModelMetadata
_OUTPUTS, _SUBGRAPH_FILES = 3, 4  # SubGraphMetadata
_TENSOR_FILES = 6  # TensorMetadata
_FILE_NAME, _FILE_TYPE = 0, 2  # AssociatedFile
# AssociatedFileType: labels along an axis, and of values.
_LABEL_FILES = (2, 3)
_MOST_TABLES = 64
_MOST_BYTES = 1 << 16
# What the libraries raise for damage.
_DAMAGE = (struct.error, IndexError, ValueError, TypeError, OverflowError, AttributeError)
_DAMAGED_ZIP = (
    zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError,
    *_DAMAGE,
)  # fmt: skip


def facts(content: bytes, graph: Graph, path: Path) -> dict[str, object] | None:
    """Return the labels of a model's first output, as facts of a bare model; None without any.

    content: the whole `.tflite`. Raises InputError for metadata that is damaged, or that names a
    file which is not there or not a short text.
    """
    buffer = graph.metadata.get(METADATA_NAME)
    if buffer is None:
        return None
    where = f"{path.name}: {METADATA_NAME}"
    try:
        name = _label_file(buffer)
    except _DAMAGE as error:
        raise InputError(f"{where} is damaged ({type(error).__name__}: {error})") from None
    if name is None:
        return None
    text = _unzip(content, name, where)
    labels = [line.strip() for line in text.splitlines()]
    while labels and not labels[-1]:
        labels.pop()
    return {"name": path.stem[:32], "labels": labels, "provenance": {"label_file": name}}


def _label_file(buffer: bytes) -> str | None:
    """Return the name of the file with the labels of output 0, or None."""
    if len(buffer) < 8 or buffer[4:8] != _IDENTIFIER:
        raise ValueError(f"no {_IDENTIFIER.decode()} at byte 4 of {len(buffer)}")
    from flatbuffers.encode import Get
    from flatbuffers.packer import uoffset
    from flatbuffers.table import Table

    model = Table(buffer, Get(uoffset, buffer, 0))
    for subgraph in _tables(model, _SUBGRAPHS):
        for output in _tables(subgraph, _OUTPUTS):
            if name := _first_labels(output, _TENSOR_FILES):
                return name
            break
        if name := _first_labels(subgraph, _SUBGRAPH_FILES):
            return name
        break
    return _first_labels(model, _MODEL_FILES)


def _first_labels(table: object, field: int) -> str | None:
    for file in _tables(table, field):
        kind = _place(file, _FILE_TYPE)
        if kind and file.Bytes[kind] in _LABEL_FILES and (at := _place(file, _FILE_NAME)):
            return file.String(at).decode()
    return None


def _place(table: object, field: int) -> int:
    """Return where a field's value stands, or 0 where the table does not have it."""
    offset = table.Offset(4 + 2 * field)
    return table.Pos + offset if offset else 0


def _tables(table: object, field: int) -> Iterator[object]:
    """Yield the tables of a vector of them, few at most."""
    offset = table.Offset(4 + 2 * field)
    if not offset:
        return
    start = table.Vector(offset)
    for i in range(min(table.VectorLen(offset), _MOST_TABLES)):
        yield type(table)(table.Bytes, table.Indirect(start + 4 * i))


def _unzip(content: bytes, name: str, where: str) -> str:
    """Return the text of a file in the archive behind the model."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open(name) as file:
            data = file.read(_MOST_BYTES + 1)
        text = data.decode()
    except KeyError:
        raise InputError(
            f'{where} names the file "{name}", which the model does not hold'
        ) from None
    except _DAMAGED_ZIP as error:
        raise InputError(
            f'{where}: file "{PurePosixPath(name).name}" of the model is not readable as text '
            f"({type(error).__name__}: {error})"
        ) from None
    if len(data) > _MOST_BYTES:
        raise InputError(
            f'{where}: file "{name}" is longer than {_MOST_BYTES} bytes; labels are not'
        )
    return text
