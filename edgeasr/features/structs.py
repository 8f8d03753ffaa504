"""Constant C structs as data: written once, rendered into firmware and passed to the host's C.

A Struct names its C type and gives its fields in the order of the C declaration. Integers stand for
32-bit members, float32 for C's float, arrays for pointers to constant tables, a Symbol for a
pointer to a function.
"""

import ctypes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

_ELEMENT = {
    "int8": "int8_t",
    "uint8": "uint8_t",
    "int16": "int16_t",
    "uint16": "uint16_t",
    "int32": "int32_t",
    "uint32": "uint32_t",
}


@dataclass(frozen=True)
class Symbol:
    """The name of a function of the runtime."""

    name: str


@dataclass(frozen=True, eq=False)
class Struct:
    """A constant of a C struct type. A Struct among `fields` is a member of that type, and a
    Pointer one that is pointed to."""

    c_type: str
    fields: Mapping[str, "int | np.float32 | Symbol | np.ndarray | Struct | Pointer"]


@dataclass(frozen=True, eq=False)
class Pointer:
    """A member that points to a constant struct."""

    target: Struct


@dataclass(frozen=True, eq=False)
class Definition:
    """The C definition of a constant: a table of `values`, or a struct of `fields`, which are
    pairs of a member's designator and its finished value."""

    c_type: str
    name: str
    values: np.ndarray | None = None
    fields: tuple[tuple[str, object], ...] = ()


def to_ctypes(struct: Struct, library: ctypes.CDLL, keep: list[object]) -> ctypes.Structure:
    """Return the struct in memory for `library`; everything it points to is added to `keep`."""
    members, values = [], []
    for name, value in struct.fields.items():
        kind, held = _member(value, library, keep)
        members.append((name, kind))
        values.append(held)
    built = type(struct.c_type, (ctypes.Structure,), {"_fields_": members})
    return built(*values)


def _member(value: object, library: ctypes.CDLL, keep: list[object]) -> tuple[type, object]:
    match value:
        case Struct():
            inner = to_ctypes(value, library, keep)
            return type(inner), inner
        case Pointer(target):
            inner = to_ctypes(target, library, keep)
            keep.append(inner)
            return ctypes.c_void_p, ctypes.addressof(inner)
        case Symbol(name):
            return ctypes.c_void_p, ctypes.cast(getattr(library, name), ctypes.c_void_p).value
        case np.ndarray():
            table = np.ascontiguousarray(value)
            keep.append(table)
            return ctypes.c_void_p, table.ctypes.data
        case np.float32():
            return ctypes.c_float, float(value)
        case _:
            return ctypes.c_uint32, int(value) & 0xFFFFFFFF


def definitions(struct: Struct, name: str) -> list[Definition]:
    """Return the definitions that make up a constant called `name`, what is used first."""
    made: list[Definition] = []
    fields = tuple(_fields(struct, name, "", made))
    return [*made, Definition(struct.c_type, name, fields=fields)]


def _fields(
    struct: Struct, name: str, path: str, made: list[Definition]
) -> Iterator[tuple[str, object]]:
    for field, value in struct.fields.items():
        own, finished = f"{name}_{field}", value
        match value:
            case Struct():
                yield from _fields(value, own, f"{path}.{field}", made)
                continue
            case Pointer(target):
                made += definitions(target, own)
                finished = f"&{own}"
            case np.ndarray():
                made.append(Definition(_ELEMENT[value.dtype.name], own, values=value.ravel()))
                finished = own
            case Symbol():
                finished = value.name
            case np.float32():
                finished = float(value)
        yield f"{path}.{field}", finished
