"""Kernel calls run on this computer: the runtime's C through ctypes, no generated code between.

The structs are read from the headers themselves, so they cannot drift from the C.
"""

import copy
import ctypes
import functools
import re
from collections.abc import Mapping

import numpy as np

from edgeasr import hostlib, paths
from edgeasr.codegen.call import (
    C_DTYPES,
    Alias,
    Array,
    Function,
    KernelCall,
    Pointers,
    Scratch,
    State,
    Struct,
    TensorRef,
    Value,
)
from edgeasr.codegen.lower.quantized import weights_struct
from edgeasr.codegen.packing import Packed
from edgeasr.codegen.sources import closure
from edgeasr.graph import Graph, Tensor

_STRUCT = re.compile(r"typedef struct (?:\w+ )?\{(.*?)\} (\w+);", re.DOTALL)
_FIELD = re.compile(r"^(?:const )?(\w+) (\*?)(\w+)(?:\[(\d+)\])?$")
_C = {
    "int32_t": ctypes.c_int32, "float": ctypes.c_float, "uint16_t": ctypes.c_uint16,
    "uint8_t": ctypes.c_uint8, "int8_t": ctypes.c_int8, "ear_unpack_t": ctypes.c_void_p,
    "ear_sums_mve_t": ctypes.c_void_p,
    "int16_t": ctypes.c_int16, "uint32_t": ctypes.c_uint32, "int64_t": ctypes.c_int64,
    "uint64_t": ctypes.c_uint64, "bool": ctypes.c_bool,
}  # fmt: skip
_GUARD = 64


class Layer:
    """A lowered operation with its memory: what is state lasts from one invocation to the next."""

    def __init__(self, graph: Graph, made: KernelCall | Alias, op: int = 0):
        self.graph, self.made, self.op = graph, made, graph.ops[op]
        states = made.states() if isinstance(made, KernelCall) else ()
        self._states = {s.name: _Guarded(_values(s).tobytes()) for s in states}
        self._variables = {
            t.index: _Guarded(start(t).tobytes()) for t in graph.tensors if t.is_variable
        }

    def invoke(self, tensors: Mapping[int, np.ndarray]) -> tuple[np.ndarray, ...]:
        """Run on inputs by the index of their tensor; return the operation's outputs in order.

        Fails when the kernel writes outside its outputs and its state.
        """
        if isinstance(self.made, Alias):
            contents = [np.ascontiguousarray(tensors[self.made.source]).tobytes()]
        else:
            contents = self._call(self.made, tensors)
            if self.made.overwrites is not None:
                over = self._call(self.made, tensors, in_place=True)
                assert over == contents, f"{self.made.kernel} differs when it writes in place"
        return tuple(
            np.frombuffer(content, t.dtype).reshape(t.shape)
            for content, t in zip(contents, map(self.graph.tensor, self.op.outputs), strict=True)
        )

    def _call(
        self, call: KernelCall, tensors: Mapping[int, np.ndarray], *, in_place: bool = False
    ) -> list[bytes]:
        # The sanitized or debugged build of tests is one library of all kernels: compiled once.
        function = getattr(_library(), call.kernel)
        function.restype = None
        keep: list[object] = []
        outputs = {i: _Guarded(b"\xa5" * self.graph.tensor(i).bytes) for i in self.op.outputs}
        if in_place:
            assert call.overwrites is not None
            (index,) = self.op.outputs
            read = np.ascontiguousarray(tensors[call.overwrites]).tobytes()
            over = b"\xa5" * call.ahead + read
            outputs[index] = _Guarded(over.ljust(self.graph.tensor(index).bytes, b"\xa5"))
        memory = {**outputs, **self._variables}
        if in_place:
            memory[call.overwrites] = outputs[index].behind(call.ahead)
        function(*(_argument(a, tensors, memory, self._states, keep) for a in call.arguments))
        for name, guarded in {**memory, **self._states}.items():
            assert guarded.intact(), f"{call.kernel} wrote outside {name}"
        return [memory[i].content()[: self.graph.tensor(i).bytes] for i in self.op.outputs]


class _Guarded:
    """Memory that shows whether anything beside it was written."""

    def __init__(self, content: bytes):
        self._all = np.full(len(content) + 2 * _GUARD, 0xA5, np.uint8)
        self._inner = self._all[_GUARD : _GUARD + len(content)]
        self._inner[:] = np.frombuffer(content, np.uint8)
        self._start = 0

    @property
    def address(self) -> int:
        return self._all.ctypes.data + _GUARD + self._start

    def behind(self, start: int) -> "_Guarded":
        """Return the part that begins so many bytes further on, in the same guards."""
        part = copy.copy(self)
        part._start = start
        return part

    def content(self) -> bytes:
        return self._inner.tobytes()

    def intact(self) -> bool:
        return bool((self._all[:_GUARD] == 0xA5).all() and (self._all[-_GUARD:] == 0xA5).all())


def start(variable: Tensor) -> np.ndarray:
    """What a variable tensor holds at the start: as ResetTensorData of TFLite-Micro has it."""
    point = 0
    if variable.dtype == "int8" and variable.quantization is not None:
        point = variable.quantization.zero_point
    return np.full(variable.shape, point, variable.dtype)


def rows(packed: Packed, first: int, count: int, scratch: np.ndarray, keep: list[object]) -> int:
    """Call ear_weights_rows for `count` output channels; return the address that it returns.

    keep: holds what C points at.
    """
    function = _library().ear_weights_rows
    function.restype = ctypes.c_void_p
    weights = _struct(weights_struct(packed), keep)
    return function(
        ctypes.byref(weights), packed.layout.row, first, count, ctypes.c_void_p(scratch.ctypes.data)
    )


def _headers() -> str:
    """Return the text of all headers that declare kernels."""
    return "".join(
        file.read_text()
        for pattern in ("ear_weights.h", "ear_fft_*.h", "ear_kernels*.h")
        for file in sorted(paths.runtime().glob(pattern))
    )


@functools.cache
def _library() -> ctypes.CDLL:
    text = _headers()
    kernels = sorted(set(re.findall(r"^void (ear_\w+)\(", text, re.MULTILINE)))
    files = {file for name in kernels for file in closure(f"{name}.c")}
    files |= {file.name for file in paths.runtime().glob("ear_weights*.c")}
    return hostlib.load(tuple(sorted(file for file in files if file.endswith(".c"))))


@functools.cache
def _structs() -> dict[str, type[ctypes.Structure]]:
    text = re.sub(r"/\*.*?\*/", "", _headers(), flags=re.DOTALL)
    found = {}
    for body, name in _STRUCT.findall(text):
        fields = [_field(line.strip()) for line in body.split(";") if line.strip()]
        found[name] = type(name, (ctypes.Structure,), {"_fields_": fields})
    return found


def _field(text: str) -> tuple[str, type]:
    match = _FIELD.match(re.sub(r"\s+", " ", text))
    assert match, f"ear_kernels.h: field `{text}` is not understood by the test"
    kind, pointer, name, length = match.groups()
    if pointer:
        return name, ctypes.c_void_p
    return name, _C[kind] * int(length) if length else _C[kind]


def _argument(
    argument: object,
    tensors: Mapping[int, np.ndarray],
    memory: Mapping[int, _Guarded],
    states: Mapping[str, _Guarded],
    keep: list[object],
) -> object:
    match argument:
        case Value(None):
            return ctypes.c_void_p(None)
        case Value(value):
            assert -(1 << 31) <= value < 1 << 31, f"the argument {value} does not fit int32_t"
            return ctypes.c_int32(value)
        case Array():
            return ctypes.c_void_p(_address(argument, keep))
        case Struct():
            return ctypes.byref(_struct(argument, keep))
        case State():
            return ctypes.c_void_p(states[argument.name].address)
        case TensorRef():
            return ctypes.c_void_p(_tensor(argument, tensors, memory, keep))
        case Pointers():
            addresses = [
                _address(i, keep) if isinstance(i, Array) else _tensor(i, tensors, memory, keep)
                for i in argument.items
            ]
            return (ctypes.c_void_p * len(addresses))(*addresses)
        case Scratch():
            buffer = np.full(argument.bytes, 0x5A, np.uint8)
            keep.append(buffer)
            return ctypes.c_void_p(buffer.ctypes.data)
    raise TypeError(argument)


def _tensor(
    ref: TensorRef,
    tensors: Mapping[int, np.ndarray],
    memory: Mapping[int, _Guarded],
    keep: list[object],
) -> int:
    if ref.written or ref.index in memory:
        return memory[ref.index].address
    values = np.ascontiguousarray(tensors[ref.index])
    keep.append(values)
    return values.ctypes.data


def _address(array: Array, keep: list[object]) -> int:
    values = _values(array)
    keep.append(values)
    return values.ctypes.data


def _values(array: Array | State) -> np.ndarray:
    """Return the elements of a table or of a state at the start, in the type that C has them in."""
    wanted = np.dtype(C_DTYPES[array.c_type])
    assert array.values.dtype == wanted or array.c_type == "int8_t", (array.name, array.c_type)
    values = np.ascontiguousarray(array.values, wanted)
    assert (values == array.values).all(), f"{array.name} does not fit {array.c_type}"
    return values


def _struct(struct: Struct, keep: list[object]) -> ctypes.Structure:
    kind = _structs()[struct.c_type]
    names = [name for name, _ in kind._fields_]
    assert list(struct.fields) == names, (struct.c_type, list(struct.fields), names)
    made = kind()
    keep.append(made)
    for name, value in struct.fields.items():
        if isinstance(value, Array):
            value = _address(value, keep)
        elif isinstance(value, Function):
            value = ctypes.cast(getattr(_library(), value.name), ctypes.c_void_p).value
        elif isinstance(value, tuple):
            value = dict(kind._fields_)[name](*value)
        setattr(made, name, value)
        if isinstance(value, int):
            assert getattr(made, name) == value or isinstance(struct.fields[name], Array), (
                f"{struct.c_type}.{name} = {value} does not fit"
            )
    return made
