"""Models as others make them: one with state and one output, and one with TFLite's own metadata."""

import io
import zipfile

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgeasr.graph import Graph, Op, Tensor
from tests import tiny
from tests.vectors.kernels.tflite_builder import serialize

LABEL_FILE = 2  # AssociatedFileType TENSOR_AXIS_LABELS


def wake_word_graph(steps: int = 3, features: int = 40, outputs: int = 1) -> Graph:
    """A fully connected layer from [1, steps, features] int8 to [1, outputs] uint8."""
    weights = np.random.default_rng(3).integers(-127, 128, (outputs, steps * features), np.int8)
    tensors = (
        Tensor(0, "features", (1, steps, features), "int8", None, tiny.quantized(26 / 255, -128)),
        Tensor(1, "weights", weights.shape, "int8", weights, tiny.quantized(0.001)),
        Tensor(2, "logits", (1, outputs), "int8", None, tiny.quantized(1 / 256, -128)),
        Tensor(3, "probability", (1, outputs), "uint8", None, tiny.quantized(1 / 256, 0)),
    )
    dense = {
        "fused_activation_function": "NONE", "weights_format": "DEFAULT", "keep_num_dims": False
    }  # fmt: skip
    ops = (Op(0, "FULLY_CONNECTED", (0, 1, -1), (2,), dense), Op(1, "QUANTIZE", (2,), (3,), {}))
    return Graph("main", tensors, ops, (0,), (3,))


def tflite_metadata(
    name: str | None = "labels.txt", kind: int = LABEL_FILE, *, of: str = "output"
) -> bytes:
    """Return the flatbuffer TFLITE_METADATA that names a file of labels.

    of: what the file belongs to: the output, the subgraph, or the model.
    """
    builder = flatbuffers.Builder(256)
    text = builder.CreateString(name) if name is not None else 0
    file = _table(builder, {0: text}, bytes_at={2: kind})
    files = _vector(builder, file)
    tensor = _table(builder, {6: files} if of == "output" else {0: builder.CreateString("scores")})
    subgraph = _table(
        builder, {3: _vector(builder, tensor)} | ({4: files} if of == "subgraph" else {})
    )
    model = _table(builder, {3: _vector(builder, subgraph)} | ({6: files} if of == "model" else {}))
    builder.Finish(model, b"M001")
    return bytes(builder.Output())


def _table(builder: object, offsets: dict[int, int], bytes_at: dict[int, int] | None = None) -> int:
    builder.StartObject(9)
    for field, offset in offsets.items():
        builder.PrependUOffsetTRelativeSlot(field, offset, 0)
    for field, value in (bytes_at or {}).items():
        builder.PrependInt8Slot(field, value, 0)
    return builder.EndObject()


def _vector(builder: object, *tables: int) -> int:
    builder.StartVector(4, len(tables), 4)
    for table in reversed(tables):
        builder.PrependUOffsetTRelative(table)
    return builder.EndVector()


def with_metadata(content: bytes, metadata: bytes) -> bytes:
    """Return a `.tflite` that holds a metadata buffer TFLITE_METADATA."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    entry, buffer = schema.MetadataT(), schema.BufferT()
    buffer.data, entry.name, entry.buffer = list(metadata), b"TFLITE_METADATA", len(model.buffers)
    model.buffers.append(buffer)
    model.metadata = [entry]
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def with_files(content: bytes, files: dict[str, bytes]) -> bytes:
    """Return the `.tflite` with an archive of files behind it."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content + held.getvalue()


def labelled(files: dict[str, bytes], **metadata: object) -> bytes:
    """Return the tiny model of four outputs with TFLite's metadata and an archive."""
    content = with_metadata(serialize(tiny.graph()), tflite_metadata(**metadata))
    return with_files(content, files)
