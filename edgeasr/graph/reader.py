"""`.tflite` bytes to a Graph, without TensorFlow. The file is hostile until checked.

The first subgraph is the graph; the others come with it, checked in the same way.

Refused, with the tensor or operator named: what is no TFLite flatbuffer, offsets or lengths outside
the file, indices out of range, negative or dynamic shapes, constants whose length does not
fit their shape, scales that are not finite and positive, tensors used before they are produced.
"""

import math
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from edgeasr.errors import InputError
from edgeasr.graph import flexbuffer
from edgeasr.graph.tensor import DTYPE_BYTES, Graph, Op, Quantization, Tensor

_IDENTIFIER = b"TFL3"
_MAX_RANK = 8
_MAX_ELEMENTS = 1 << 28
# Far above any model of speech; what is above would take its time.
_MAX_SUBGRAPHS = 64
_MAX_TENSORS = 1 << 14
_MAX_OPERATORS = 1 << 11
# Tensors may share a buffer, but not so that a small file becomes a large model.
_MAX_SHARING = 8
# Whatever the flatbuffer library raises when an offset leads nowhere.
_DAMAGE = (struct.error, IndexError, ValueError, TypeError, OverflowError, AttributeError)

_NUMPY = {
    "float32": np.float32,
    "float16": np.float16,
    "float64": np.float64,
    "int32": np.int32,
    "int64": np.int64,
    "int16": np.int16,
    "int8": np.int8,
    "uint8": np.uint8,
    "bool": np.bool_,
    "uint32": np.uint32,
    "uint16": np.uint16,
    "uint64": np.uint64,
}
# How the names of custom operators begin whose options are FlexBuffers; those of others (code for
# an accelerator, for instance) are left alone.
_FLEXIBLE = ("CUSTOM:Signal", "CUSTOM:CIRCULAR_BUFFER")
# Option fields that are enums: their type in the schema, by name of the field.
_ENUMS = {
    "padding": "Padding",
    "fused_activation_function": "ActivationFunctionType",
    "weights_format": "FullyConnectedOptionsWeightsFormat",
    "in_data_type": "TensorType",
    "out_data_type": "TensorType",
    "output_type": "TensorType",
    "type": "TensorType",
    "kernel_type": "LSTMKernelType",
    "quantized_bias_type": "TensorType",
    "mode": "MirrorPadMode",
}


def load(path: Path) -> Graph:
    """Read a `.tflite` file. Raises InputError for anything that is not a usable one."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}; give a .tflite file") from None
    return parse(content, path.name)


def parse(content: bytes, where: str = "model") -> Graph:
    """Turn the bytes of a `.tflite` into its main subgraph, with the others beside it.

    `where` opens each error.
    """
    if len(content) < 16 or content[4:8] != _IDENTIFIER:
        raise InputError(
            f"{where}: not a TensorFlow Lite model (no {_IDENTIFIER.decode()} at byte 4 of "
            f"{len(content)}); give a .tflite file"
        )
    try:
        return _Reader(content, where).graph()
    except _DAMAGE as error:
        raise InputError(
            f"{where}: damaged .tflite file ({type(error).__name__}: {error}); export it again"
        ) from None


class _Reader:
    def __init__(self, content: bytes, where: str):
        import tflite  # 0.1 s: only when a model is read

        self.schema = tflite
        self.content = content
        self.where = where
        self.model = tflite.Model.GetRootAs(content, 0)
        self.inside = ""  # opens what is said of a subgraph that is not the first
        self.left = {"tensors": _MAX_TENSORS, "operators": _MAX_OPERATORS}
        self.bytes_left = _MAX_SHARING * len(content)

    def fail(self, what: str) -> InputError:
        return InputError(f"{self.where}: {self.inside}{what}")

    def graph(self) -> Graph:
        count = self.count(self.model.SubgraphsLength(), "subgraphs")
        if not 1 <= count <= _MAX_SUBGRAPHS:
            raise self.fail(f"holds {count} subgraphs; a model has 1 to {_MAX_SUBGRAPHS}")
        main = self.subgraph(0)
        self.check_ends(main)
        others = []
        for number in range(1, count):
            self.inside = f"subgraph #{number}: "
            others.append(self.subgraph(number))
        self.inside = ""
        return replace(main, subgraphs=tuple(others), metadata=dict(self.metadata()))

    def subgraph(self, number: int) -> Graph:
        raw = self.model.Subgraphs(number)
        tensors = tuple(
            self.tensor(raw.Tensors(i), i) for i in range(self.some(raw.TensorsLength(), "tensors"))
        )
        ops = tuple(
            self.op(raw.Operators(i), i, len(tensors))
            for i in range(self.some(raw.OperatorsLength(), "operators"))
        )
        inputs, outputs = (
            self.indices(f"the graph's {side}", ints, len(tensors))
            for side, ints in (("inputs", raw.InputsAsNumpy()), ("outputs", raw.OutputsAsNumpy()))
        )
        name = _text(raw.Name()) or ("main" if number == 0 else f"subgraph_{number}")
        graph = Graph(name=name, tensors=tensors, ops=ops, inputs=inputs, outputs=outputs)
        self.check_order(graph)
        return graph

    def some(self, length: int, what: str) -> int:
        """Bound a vector's length by what all subgraphs together may have."""
        self.left[what] -= self.count(length, what)
        if self.left[what] < 0:
            limit = {"tensors": _MAX_TENSORS, "operators": _MAX_OPERATORS}[what]
            raise self.fail(f"more than {limit:,} {what} in all; give a smaller model")
        return length

    def count(self, length: int, what: str) -> int:
        """Bound a vector's length by the file: each element takes four bytes at least."""
        if not 0 <= length <= len(self.content) // 4:
            raise self.fail(f"damaged .tflite file ({length} {what} in {len(self.content)} bytes)")
        return length

    def tensor(self, raw: object, index: int) -> Tensor:
        name = _text(raw.Name()) or f"tensor_{index}"
        what = f'tensor #{index} "{name}"'
        dtype = self.enum("TensorType", raw.Type(), what).lower()
        shape = tuple(int(n) for n in _vector(raw.ShapeAsNumpy()))
        if len(shape) > _MAX_RANK or any(n < 0 for n in shape):
            raise self.fail(f"{what} has shape {list(shape)}; sizes are fixed and not negative")
        if math.prod(shape) > _MAX_ELEMENTS:
            raise self.fail(f"{what} has {math.prod(shape):,} elements; at most {_MAX_ELEMENTS:,}")
        if raw.Sparsity() is not None:
            raise self.fail(f"{what} is stored sparse; convert the model without sparsity")
        is_variable = bool(raw.IsVariable())
        data = self.constant(raw.Buffer(), shape, dtype, what)
        return Tensor(
            index=index,
            name=name,
            shape=shape,
            dtype=dtype,
            data=None if is_variable else data,  # TFLite-Micro clears a variable in any case
            quantization=self.quantization(raw.Quantization(), shape, what),
            is_variable=is_variable,
        )

    def constant(
        self, buffer: int, shape: tuple[int, ...], dtype: str, what: str
    ) -> np.ndarray | None:
        content = self.buffer(buffer, what)
        if not content or dtype not in DTYPE_BYTES:
            return None
        self.bytes_left -= len(content)
        if self.bytes_left < 0:
            raise self.fail(
                f"{what} is one of too many that share a buffer: together their data is more than "
                f"{_MAX_SHARING} times the file"
            )
        if dtype == "int4":
            return _unpack_int4(content, shape, lambda: self.fail(_length(what, content, shape, 4)))
        if dtype not in _NUMPY:
            return None
        kind = np.dtype(_NUMPY[dtype]).newbyteorder("<")
        if len(content) != math.prod(shape) * kind.itemsize:
            raise self.fail(_length(what, content, shape, kind.itemsize * 8))
        array = np.frombuffer(content, kind).reshape(shape)
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise self.fail(f"{what} holds values that are not finite; export the model again")
        return array

    def buffer(self, index: int, what: str) -> bytes:
        if not 0 <= index < self.count(self.model.BuffersLength(), "buffers"):
            raise self.fail(
                f"{what} names buffer {index} of {self.model.BuffersLength()}; damaged file"
            )
        raw = self.model.Buffers(index)
        if raw.Offset() > 1:  # stored behind the flatbuffer, as for models over 2 GB
            start, size = raw.Offset(), raw.Size()
            if start + size > len(self.content):
                raise self.fail(f"{what} lies at {start:#x}+{size}, beyond the file's end")
            return self.content[start : start + size]
        if raw.DataLength() > len(self.content):
            raise self.fail(f"{what} has {raw.DataLength()} bytes of data in a smaller file")
        return _vector(raw.DataAsNumpy()).tobytes()

    def quantization(self, raw: object, shape: tuple[int, ...], what: str) -> Quantization | None:
        if raw is None or raw.ScaleLength() == 0:
            return None
        scales = _vector(raw.ScaleAsNumpy()).astype(np.float32)
        points = _vector(raw.ZeroPointAsNumpy()).astype(np.int64)
        axis = raw.QuantizedDimension()
        if len(points) == 0:
            points = np.zeros(len(scales), np.int64)
        if not (np.isfinite(scales) & (scales > 0)).all():
            bad = scales[~(np.isfinite(scales) & (scales > 0))][0]
            raise self.fail(f"{what} has a scale of {bad:g}; scales are finite and above 0")
        if len(points) != len(scales) or (np.abs(points) > 1 << 31).any():
            raise self.fail(f"{what} has {len(points)} zero points for {len(scales)} scales")
        if shape == (len(scales),):
            axis = 0  # a bias: some converters give it the axis of its weights
        if len(scales) > 1 and not (0 <= axis < len(shape) and len(scales) == shape[axis]):
            raise self.fail(
                f"{what} has {len(scales)} scales along axis {axis} of shape {list(shape)}"
            )
        return Quantization(scales, points.astype(np.int32), int(axis))

    def op(self, raw: object, index: int, tensor_count: int) -> Op:
        what = f"operator #{index}"
        code_index = raw.OpcodeIndex()
        if code_index >= self.count(self.model.OperatorCodesLength(), "operator codes"):
            raise self.fail(f"{what} has operator code {code_index}, which the file does not list")
        code = self.model.OperatorCodes(code_index)
        # Old files hold the code in an 8-bit field; the larger of both is meant.
        number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        kind = self.enum("BuiltinOperator", number, what)
        if kind == "CUSTOM":
            kind = f"CUSTOM:{_text(code.CustomCode())}"
        what = f"operator #{index} {kind}"
        return Op(
            index=index,
            kind=kind,
            version=code.Version(),
            inputs=self.indices(f"{what} inputs", raw.InputsAsNumpy(), tensor_count, optional=True),
            outputs=self.indices(f"{what} outputs", raw.OutputsAsNumpy(), tensor_count),
            options=(
                self.custom_options(raw, kind, what)
                if kind.startswith("CUSTOM:")
                else self.options(raw, what)
            ),
        )

    def options(self, raw: object, what: str) -> dict[str, object]:
        name = self.enum("BuiltinOptions", raw.BuiltinOptionsType(), what)
        table = raw.BuiltinOptions()
        if name == "NONE" or table is None:
            return {}
        cls = getattr(self.schema, name)
        reader = cls()
        reader.Init(table.Bytes, table.Pos)
        return {_snake(field): self.option(reader, field, what) for field in _fields(cls)}

    def custom_options(self, raw: object, kind: str, what: str) -> dict[str, object]:
        content = _vector(raw.CustomOptionsAsNumpy()).tobytes()
        if not content or not kind.startswith(_FLEXIBLE):
            return {}
        try:
            return dict(flexbuffer.parse(content))
        except ValueError as error:
            raise self.fail(f"{what} has options that cannot be read: {error}") from None

    def option(self, reader: object, field: str, what: str) -> object:
        if hasattr(reader, f"{field}AsNumpy"):
            self.count(getattr(reader, f"{field}Length")(), f"values of {field}")
            return tuple(int(n) for n in _vector(getattr(reader, f"{field}AsNumpy")()))
        value = getattr(reader, field)()
        enum = _ENUMS.get(_snake(field))
        if enum is not None:
            return self.enum(enum, value, f"{what} {_snake(field)}")
        if isinstance(value, float) and not math.isfinite(value):
            raise self.fail(f"{what} has {_snake(field)} {value}; it must be finite")
        return _text(value) if isinstance(value, bytes) else value

    def enum(self, enum: str, value: int, what: str) -> str:
        for name, number in vars(getattr(self.schema, enum)).items():
            if number == value and not name.startswith("_"):
                return name
        raise self.fail(f"{what} has {enum} {value}, which this version does not know")

    def indices(
        self, what: str, values: object, tensor_count: int, *, optional: bool = False
    ) -> tuple[int, ...]:
        found = tuple(int(i) for i in _vector(values))
        for index in found:
            if not (-1 if optional else 0) <= index < tensor_count:
                raise self.fail(f"{what}: no tensor {index}; the file has {tensor_count} tensors")
        return found

    def metadata(self) -> Iterator[tuple[str, bytes]]:
        for i in range(self.count(self.model.MetadataLength(), "metadata entries")):
            entry = self.model.Metadata(i)
            name = _text(entry.Name())
            yield name, self.buffer(entry.Buffer(), f'metadata "{name}"')

    def check_ends(self, graph: Graph) -> None:
        for side, indices in (("input", graph.inputs), ("output", graph.outputs)):
            for index in indices:
                if graph.tensor(index).data is not None:
                    raise self.fail(
                        f'{side} tensor #{index} "{graph.tensor(index).name}" is a constant'
                    )

    def check_order(self, graph: Graph) -> None:
        """Each tensor must be a constant, an input, a variable, or made by one earlier operator."""
        variables = {t.index for t in graph.tensors if t.is_variable}
        constants = {t.index for t in graph.tensors if t.data is not None}
        ready = variables | constants | set(graph.inputs)
        for op in graph.ops:
            for index in op.inputs:
                if index >= 0 and index not in ready and graph.tensor(index).elements:
                    raise self.fail(
                        f"operator #{op.index} {op.kind} reads tensor #{index} "
                        f'"{graph.tensor(index).name}" before any operator makes it'
                    )
            for place, index in enumerate(op.outputs):
                made = index in ready and index not in variables
                if made or index in op.outputs[:place]:
                    raise self.fail(
                        f"operator #{op.index} {op.kind} writes tensor #{index} "
                        f'"{graph.tensor(index).name}", which has a value already'
                    )
            ready.update(op.outputs)
        for index in graph.outputs:
            if index not in ready:
                raise self.fail(
                    f'output tensor #{index} "{graph.tensor(index).name}" is made by no operator'
                )


def _vector(values: object) -> np.ndarray:
    """Return a vector field as an array; the library gives 0 for one that is absent."""
    return values if isinstance(values, np.ndarray) else np.zeros(0, np.uint8)


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode(errors="replace")


def _snake(field: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z0-9])|(?<=[A-Z0-9])(?=[A-Z][a-z])", "_", field).lower()


def _fields(cls: type) -> list[str]:
    suffixes = ("AsNumpy", "Length", "IsNone", "HasIdentifier")
    return [
        name
        for name, value in vars(cls).items()
        if callable(value)
        and name != "Init"
        and not name.startswith(("_", "GetRootAs"))
        and not name.endswith(suffixes)
    ]


def _length(what: str, content: bytes, shape: tuple[int, ...], bits: int) -> str:
    wanted = (math.prod(shape) * bits + 7) // 8
    return f"{what} has {len(content)} bytes of data; its shape {list(shape)} needs {wanted}"


def _unpack_int4(
    content: bytes, shape: tuple[int, ...], error: Callable[[], InputError]
) -> np.ndarray:
    """Two's-complement nibbles, low one first, to int8 of the given shape."""
    count = math.prod(shape)
    if len(content) != (count + 1) // 2:
        raise error()
    packed = np.frombuffer(content, np.uint8)
    nibbles = np.stack([packed & 15, packed >> 4], axis=-1).ravel()[:count].astype(np.int8)
    return np.where(nibbles > 7, nibbles - 16, nibbles).astype(np.int8).reshape(shape)
