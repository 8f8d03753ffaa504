"""What TFLite-Micro's allocator looks at in a `.tflite`: every subgraph, tensor and operator.

`edgeasr.graph` reads the main subgraph as a computation; this reads all of them as memory, as the
allocator sees the file: which tensors have bytes of their own, how many zero points each has, and
what calls which subgraph. A file that `edgeasr.graph.parse` accepts is taken as sound.
"""

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from edgeasr.errors import InputError
from edgeasr.graph import DTYPE_BYTES, Graph

_OFFLINE_PLAN = b"OfflineMemoryAllocation"
# How deep subgraphs may call each other.
_MOST_CALLS = 8
_DAMAGE = (struct.error, KeyError, IndexError, ValueError, TypeError, OverflowError, AttributeError)


@dataclass(frozen=True)
class TensorRecord:
    """channels: number of zero points that a TfLiteTensor of it holds, 0 without quantization."""

    dtype: str
    shape: tuple[int, ...]
    constant: bool
    variable: bool
    channels: int

    @property
    def elements(self) -> int:
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        return self.elements * DTYPE_BYTES[self.dtype]


@dataclass(frozen=True)
class Operator:
    """kind, inputs, outputs, options: as of `edgeasr.graph.Op`; options of the main subgraph only.

    calls: subgraphs that it runs, in order. variable: name of the resource that it is a handle of.
    """

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, object] = field(default_factory=dict)
    calls: tuple[int, ...] = ()
    variable: bytes = b""


@dataclass(frozen=True)
class Subgraph:
    tensors: tuple[TensorRecord, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class Contents:
    """offsets: of the tensors of all subgraphs, in order, -1 if free; None without such a plan."""

    subgraphs: tuple[Subgraph, ...]
    offsets: tuple[int, ...] | None = None

    @property
    def variables(self) -> int:
        """Number of resource variables."""
        names = {op.variable for graph in self.subgraphs for op in graph.operators if op.variable}
        return len(names)


def read(graph: Graph, content: bytes) -> Contents:
    """Read what is in the file that `graph` was parsed from. Raises InputError for damage."""
    try:
        return _Reader(content).contents(graph)
    except _DAMAGE as error:
        raise InputError(
            f"{graph.name}: damaged .tflite file ({type(error).__name__}: {error}); export it again"
        ) from None


class _Reader:
    def __init__(self, content: bytes):
        import tflite

        self.schema = tflite
        self.model = tflite.Model.GetRootAs(content, 0)
        self.types = _names(tflite.TensorType)
        self.operators = _names(tflite.BuiltinOperator)

    def contents(self, graph: Graph) -> Contents:
        options = [op.options for op in graph.ops]
        subgraphs = tuple(
            self.subgraph(self.model.Subgraphs(i), options if i == 0 else None)
            for i in range(self.model.SubgraphsLength())
        )
        for number in range(len(subgraphs)):
            _check_calls(subgraphs, number, ())
        tensors = sum(len(subgraph.tensors) for subgraph in subgraphs)
        return Contents(subgraphs, self.offline_plan(tensors))

    def subgraph(self, raw: object, options: list[Mapping[str, object]] | None) -> Subgraph:
        made = Subgraph(
            tensors=tuple(self.tensor(raw.Tensors(i)) for i in range(raw.TensorsLength())),
            operators=tuple(
                self.operator(raw.Operators(i), options[i] if options else {})
                for i in range(raw.OperatorsLength())
            ),
            inputs=tuple(raw.Inputs(i) for i in range(raw.InputsLength())),
            outputs=tuple(raw.Outputs(i) for i in range(raw.OutputsLength())),
        )
        _check_indices(made)
        return made

    def tensor(self, raw: object) -> TensorRecord:
        dtype = self.types[raw.Type()].lower()
        if dtype not in DTYPE_BYTES:
            raise InputError(f"tensors of {dtype}: TFLite-Micro knows no size of them")
        quantization = raw.Quantization()
        scales = quantization.ScaleLength() if quantization else 0
        return TensorRecord(
            dtype=dtype,
            shape=tuple(raw.Shape(i) for i in range(raw.ShapeLength())),
            constant=self.model.Buffers(raw.Buffer()).DataLength() > 0,
            variable=bool(raw.IsVariable()),
            channels=scales if scales and quantization.ZeroPointLength() else 0,
        )

    def operator(self, raw: object, options: Mapping[str, object]) -> Operator:
        code = self.model.OperatorCodes(raw.OpcodeIndex())
        kind = self.operators[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
        calls, variable = self.calls(kind, raw.BuiltinOptions())
        if kind == "CUSTOM":
            kind = f"CUSTOM:{code.CustomCode().decode(errors='replace')}"
        return Operator(
            kind=kind,
            inputs=tuple(raw.Inputs(i) for i in range(raw.InputsLength())),
            outputs=tuple(raw.Outputs(i) for i in range(raw.OutputsLength())),
            options=options,
            calls=calls,
            variable=variable,
        )

    def calls(self, kind: str, table: object) -> tuple[tuple[int, ...], bytes]:
        """Return the subgraphs that an operator runs, and the resource that it names."""
        fields = {
            "IF": ("IfOptions", "ThenSubgraphIndex", "ElseSubgraphIndex"),
            "WHILE": ("WhileOptions", "CondSubgraphIndex", "BodySubgraphIndex"),
            "CALL_ONCE": ("CallOnceOptions", "InitSubgraphIndex"),
            "VAR_HANDLE": ("VarHandleOptions", "SharedName"),
        }.get(kind)
        if not fields or table is None:
            return (), b""
        options = getattr(self.schema, fields[0])()
        options.Init(table.Bytes, table.Pos)
        found = [getattr(options, name)() for name in fields[1:]]
        return ((), found[0] or b"") if kind == "VAR_HANDLE" else (tuple(found), b"")

    def offline_plan(self, tensors: int) -> tuple[int, ...] | None:
        """Return the offsets that the file's own memory plan gives, when it holds one."""
        for i in range(self.model.MetadataLength()):
            entry = self.model.Metadata(i)
            if entry.Name() == _OFFLINE_PLAN:
                data = self.model.Buffers(entry.Buffer()).DataAsNumpy().tobytes()
                return struct.unpack_from(f"<{tensors}i", data, 12)
        return None


def _check_indices(subgraph: Subgraph) -> None:
    count = len(subgraph.tensors)
    for operator in subgraph.operators:
        if not all(-1 <= index < count for index in operator.inputs):
            raise IndexError(f"inputs {operator.inputs} of {operator.kind}")
        if not all(0 <= index < count for index in operator.outputs):
            raise IndexError(f"outputs {operator.outputs} of {operator.kind}")
    if not all(0 <= index < count for index in (*subgraph.inputs, *subgraph.outputs)):
        raise IndexError(f"ends {subgraph.inputs} and {subgraph.outputs} of a subgraph")


def _check_calls(subgraphs: tuple[Subgraph, ...], number: int, callers: tuple[int, ...]) -> None:
    """Raise ValueError for a subgraph that calls itself, or none that there is."""
    if not 0 <= number < len(subgraphs) or number in callers or len(callers) > _MOST_CALLS:
        raise ValueError(f"subgraph {callers[-1]} calls subgraph {number}")
    for operator in subgraphs[number].operators:
        for called in operator.calls:
            _check_calls(subgraphs, called, (*callers, number))


def _names(enum: type) -> dict[int, str]:
    return {number: name for name, number in vars(enum).items() if not name.startswith("_")}
