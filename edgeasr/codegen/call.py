"""What lowering makes of an operation: one C call with its constants, or an alias in memory.

A KernelCall names a C function of a header of kernels that returns nothing: whatever could fail was
checked at export. Its arguments are in the order of the C prototype. The template gives every
Array and Struct a `static const` definition named after the layer and the argument's `name`
(unique within one call), Arrays before the Structs that point at them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from edgeasr.codegen.packing import Packed

# How the names of the headers begin that declare kernels and their types, all of them.
KERNEL_HEADERS = "ear_kernels"


@dataclass(frozen=True, eq=False)
class Array:
    """A constant table: passed, or referenced by a Struct's field, as `const c_type *`.

    values are flattened in C order; alignment in bytes, 0 for that of the C type.
    """

    name: str
    c_type: str
    values: np.ndarray
    alignment: int = 0

    @property
    def bytes(self) -> int:
        return self.values.size * np.dtype(C_DTYPES[self.c_type]).itemsize


@dataclass(frozen=True)
class Function:
    """The address of a C function of the runtime."""

    name: str


@dataclass(frozen=True, eq=False)
class Struct:
    """A constant struct, passed by its address; fields by their C names, in declared order.

    An int is written as an integer, a float as a literal of C type float, a tuple of ints as
    `{a, b, c}`, an Array or a Function as its name, None as NULL.
    """

    name: str
    c_type: str
    fields: Mapping[str, int | float | tuple[int, ...] | Array | Function | None]


@dataclass(frozen=True)
class TensorRef:
    """The address of a tensor in the arena: `const c_type *`, or `c_type *` if it is written."""

    index: int
    c_type: str
    written: bool = False


@dataclass(frozen=True)
class Scratch:
    """`c_type *` to memory that is free for the kernel during the call, aligned to 16 bytes."""

    bytes: int
    c_type: str = "void"


@dataclass(frozen=True, eq=False)
class State:
    """`c_type *` to memory of the layer's own, which lasts from one inference to the next.

    values: what it holds at the start and after a reset, flattened in C order. Aligned to 16 bytes.
    """

    name: str
    c_type: str
    values: np.ndarray


@dataclass(frozen=True)
class Value:
    """An integer literal; None is a null pointer."""

    value: int | None


@dataclass(frozen=True, eq=False)
class Pointers:
    """A list of addresses, as the compound literal `(const c_type *const[]){a, b, c}`.

    Where the kernel writes them, each item is a written TensorRef, and the literal is
    `(c_type *const[]){a, b, c}`.
    """

    c_type: str
    items: tuple[TensorRef | Array, ...]

    @property
    def written(self) -> bool:
        return any(isinstance(item, TensorRef) and item.written for item in self.items)


Argument = Array | Struct | TensorRef | Pointers | Scratch | State | Value

C_DTYPES: Mapping[str, str] = {
    "int8_t": "int8",
    "uint8_t": "uint8",
    "int16_t": "int16",
    "uint16_t": "uint16",
    "int32_t": "int32",
    "uint32_t": "uint32",
    "int64_t": "int64",
    "uint64_t": "uint64",
    "float": "float32",
}


@dataclass(frozen=True, eq=False)
class KernelCall:
    """One call of a kernel.

    sources: files of the runtime folder (headers included) that this call needs. weights: how
    those of the layer are packed; None for a layer without any. overwrites: the tensor that it
    reads and may write its output over, from the same address on; None where there is none. ahead:
    bytes, a multiple of 16, by which that tensor has to lie further on than the output for it.
    """

    kernel: str
    sources: tuple[str, ...]
    arguments: tuple[Argument, ...]
    weights: Packed | None = None
    overwrites: int | None = None
    ahead: int = 0

    def arrays(self) -> Iterator[Array]:
        """Yield every constant table of the call, in the order of the arguments."""
        for argument in self.arguments:
            if isinstance(argument, Array):
                yield argument
            elif isinstance(argument, Struct):
                yield from (v for v in argument.fields.values() if isinstance(v, Array))
            elif isinstance(argument, Pointers):
                yield from (v for v in argument.items if isinstance(v, Array))

    def structs(self) -> Iterator[Struct]:
        yield from (a for a in self.arguments if isinstance(a, Struct))

    def states(self) -> Iterator[State]:
        yield from (a for a in self.arguments if isinstance(a, State))

    @property
    def scratch_bytes(self) -> int:
        return sum(a.bytes for a in self.arguments if isinstance(a, Scratch))


@dataclass(frozen=True)
class Nothing:
    """The operation does nothing at run time: what it does is done at export."""


@dataclass(frozen=True)
class Alias:
    """The operation moves no data: its output has the bytes of its input, in the same order.

    A plan gives both the same memory; where it cannot (a constant, or an input of the graph that
    is also an output), the bytes are copied.
    """

    source: int
    target: int
