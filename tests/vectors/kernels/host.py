"""Kernel calls run on this computer: the runtime's C through ctypes, no generated code between.

The structs are read from the headers themselves, so they cannot drift from the C.
"""

import ctypes
import functools
import re
from collections.abc import Mapping

import numpy as np

from edgeasr import hostlib, paths
from edgeasr.codegen.call import (
    C_DTYPES,
    Array,
    Function,
    KernelCall,
    Pointers,
    Scratch,
    Struct,
    TensorRef,
    Value,
)
from edgeasr.codegen.lower.quantized import weights_struct
from edgeasr.codegen.packing import Packed
from edgeasr.codegen.sources import closure

_STRUCT = re.compile(r"typedef struct (?:\w+ )?\{(.*?)\} (\w+);", re.DOTALL)
_FIELD = re.compile(r"^(?:const )?(\w+) (\*?)(\w+)(?:\[(\d+)\])?$")
_C = {
    "int32_t": ctypes.c_int32, "float": ctypes.c_float, "uint16_t": ctypes.c_uint16,
    "uint8_t": ctypes.c_uint8, "int8_t": ctypes.c_int8, "ear_unpack_t": ctypes.c_void_p,
}  # fmt: skip
_GUARD = 64


def run(call: KernelCall, tensors: Mapping[int, np.ndarray], output_bytes: int) -> bytes:
    """Run a call on the given tensors and return the bytes of the tensor that it writes.

    Fails when the kernel writes outside its output.
    """
    # The sanitized or debugged build of tests is one library of all kernels: compiled once.
    function = getattr(_library(), call.kernel)
    function.restype = None
    keep: list[object] = []
    target = np.full(output_bytes + 2 * _GUARD, 0xA5, np.uint8)
    arguments = [_argument(a, tensors, target, keep) for a in call.arguments]
    function(*arguments)
    assert (target[:_GUARD] == 0xA5).all(), f"{call.kernel} wrote before its output"
    assert (target[_GUARD + output_bytes :] == 0xA5).all(), f"{call.kernel} wrote behind its output"
    return target[_GUARD : _GUARD + output_bytes].tobytes()


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
        for pattern in ("ear_weights.h", "ear_kernels*.h")
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
    argument: object, tensors: Mapping[int, np.ndarray], target: np.ndarray, keep: list[object]
) -> object:
    match argument:
        case Value(None):
            return ctypes.c_void_p(None)
        case Value(value):
            return ctypes.c_int32(value)
        case Array():
            return ctypes.c_void_p(_address(argument, keep))
        case Struct():
            return ctypes.byref(_struct(argument, keep))
        case TensorRef(written=True):
            return ctypes.c_void_p(target.ctypes.data + _GUARD)
        case TensorRef():
            return ctypes.c_void_p(_tensor(argument, tensors, keep))
        case Pointers():
            addresses = [
                _address(i, keep) if isinstance(i, Array) else _tensor(i, tensors, keep)
                for i in argument.items
            ]
            return (ctypes.c_void_p * len(addresses))(*addresses)
        case Scratch():
            buffer = np.full(argument.bytes, 0x5A, np.uint8)
            keep.append(buffer)
            return ctypes.c_void_p(buffer.ctypes.data)
    raise TypeError(argument)


def _tensor(ref: TensorRef, tensors: Mapping[int, np.ndarray], keep: list[object]) -> int:
    values = np.ascontiguousarray(tensors[ref.index])
    keep.append(values)
    return values.ctypes.data


def _address(array: Array, keep: list[object]) -> int:
    wanted = np.dtype(C_DTYPES[array.c_type])
    assert array.values.dtype == wanted or array.c_type == "int8_t", (array.name, array.c_type)
    values = np.ascontiguousarray(array.values, wanted)
    assert (values == array.values).all(), f"{array.name} does not fit {array.c_type}"
    keep.append(values)
    return values.ctypes.data


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
            value = (ctypes.c_int32 * len(value))(*value)
        setattr(made, name, value)
        if isinstance(value, int):
            assert getattr(made, name) == value or isinstance(struct.fields[name], Array), (
                f"{struct.c_type}.{name} = {value} does not fit"
            )
    return made
