"""The graph: what a model is, whoever wrote the file. Frozen, and free of any file format."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

DTYPE_BYTES: Mapping[str, int] = {
    "float32": 4,
    "float16": 2,
    "int32": 4,
    "int64": 8,
    "int16": 2,
    "int8": 1,
    "int4": 1,
    "uint8": 1,
    "bool": 1,
    "uint32": 4,
    "uint64": 8,
    "uint16": 2,
    "resource": 4,
}

# Operations of TFLite-Micro that keep memory of their own between inferences, or use variables.
_STATEFUL = frozenset({
    "ASSIGN_VARIABLE", "READ_VARIABLE", "CUSTOM:CIRCULAR_BUFFER", "CUSTOM:SignalDelay",
    "CUSTOM:SignalFilterBankSpectralSubtraction", "CUSTOM:SignalFramer",
    "CUSTOM:SignalOverlapAdd", "CUSTOM:SignalStacker",
})  # fmt: skip


@dataclass(frozen=True, eq=False)
class Quantization:
    """Affine quantization: real = scale * (q - zero_point), one pair per tensor or per channel.

    scales: float32 [n], zero_points: int32 [n], n = 1 or the length of dimension `axis`.
    """

    scales: np.ndarray
    zero_points: np.ndarray
    axis: int = 0

    @property
    def per_channel(self) -> bool:
        return len(self.scales) > 1

    @property
    def scale(self) -> float:
        """Scale of a per-tensor quantization (the float32 value, as a Python float)."""
        return float(self.scales[0])

    @property
    def zero_point(self) -> int:
        return int(self.zero_points[0])


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor of a graph; `data` is set for constants only, with the shape and dtype of it."""

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: str
    data: np.ndarray | None = None
    quantization: Quantization | None = None
    is_variable: bool = False

    @property
    def elements(self) -> int:
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        return self.elements * DTYPE_BYTES[self.dtype]


@dataclass(frozen=True, eq=False)
class Op:
    """An operation. `kind` is TFLite's name (CONV_2D); an input of -1 is an optional one left out.

    options: the fields of the operator's option table in snake case (stride_h, padding, …), enums
    by their names in TFLite's schema (`SAME`, `RELU6`).
    """

    index: int
    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, object] = field(default_factory=dict)
    version: int = 1


@dataclass(frozen=True, eq=False)
class Graph:
    """One subgraph in execution order, with the file's metadata buffers.

    subgraphs: the file's others, which operations name by their numbers, from 1 on.
    """

    name: str
    tensors: tuple[Tensor, ...]
    ops: tuple[Op, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    metadata: Mapping[str, bytes] = field(default_factory=dict)
    subgraphs: tuple["Graph", ...] = ()

    @property
    def stateful(self) -> bool:
        """True when an inference depends on those before it."""
        return any(tensor.is_variable for tensor in self.tensors) or any(
            op.kind in _STATEFUL for op in self.ops
        )

    def tensor(self, index: int) -> Tensor:
        return self.tensors[index]
