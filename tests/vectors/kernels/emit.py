"""The case table as a C program: for sanitizers, and for cores that Python cannot reach.

Each tensor is an array of its exact size, so that a sanitizer sees any access beside it. The
program's `ear_check_cases()` returns 0, or the number (from 1) of the first case that differs.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from edgeasr.codegen import cname
from edgeasr.codegen.call import (
    Alias,
    Array,
    Function,
    KernelCall,
    Pointers,
    Scratch,
    Struct,
    TensorRef,
    Value,
)
from tests.vectors.kernels.cases import Case

_C_TYPES = {"int8": "int8_t", "uint8": "uint8_t", "int16": "int16_t", "int32": "int32_t",
            "float32": "float"}  # fmt: skip


@dataclass(frozen=True)
class Program:
    """text: the C. sources: runtime files to compile with it. names: of the cases, in order."""

    text: str
    sources: tuple[str, ...]
    names: tuple[str, ...]


def program(cases: Iterable[tuple[Case, KernelCall | Alias, np.ndarray | None]]) -> Program:
    """Return the program of these cases, as lowered, with their expected outputs.

    An expected output of None runs without a look.
    """
    parts, calls, sources, names = [], [], {"ear_kernels.h"}, []
    for number, (case, call, expected) in enumerate(cases, 1):
        assert isinstance(call, KernelCall)
        parts.append(_Writer(case, call, number).function(expected))
        calls.append(f"    if (!case_{number}()) {{\n        return {number};\n    }}\n")
        sources.update(call.sources)
        names.append(case.name)
    headers = sorted(name for name in sources if name.startswith("ear_kernels"))
    includes = "".join(f'#include "{name}"\n' for name in headers)
    head = f"{includes}\n#include <string.h>\n\nint ear_check_cases(void);\n\n"
    tail = f"int ear_check_cases(void)\n{{\n{''.join(calls)}    return 0;\n}}\n"
    return Program(head + "\n".join(parts) + "\n" + tail, tuple(sorted(sources)), tuple(names))


class _Writer:
    def __init__(self, case: Case, call: KernelCall, number: int):
        self.case, self.call, self.number = case, call, number
        self.lines: list[str] = []

    def function(self, expected: np.ndarray | None) -> str:
        for index, values in zip(self.case.graph.inputs, self.case.inputs, strict=True):
            self.table(f"input_{index}", _C_TYPES[values.dtype.name], values)
        for array in self.call.arrays():
            self.table(array.name, array.c_type, array.values)
        for struct in self.call.structs():
            fields = ", ".join(f".{k} = {self.field(v)}" for k, v in struct.fields.items())
            self.lines.append(
                f"static const {struct.c_type} {self.name(struct.name)} = {{{fields}}};"
            )
        output = self.case.graph.tensor(self.case.graph.outputs[0])
        kind = _C_TYPES[output.dtype]
        self.lines.append(f"static {kind} {self.name('output')}[{output.elements}];")
        if scratch := self.call.scratch_bytes:
            self.lines.append(f"static int8_t {self.name('scratch')}[{scratch}];")
        arguments = ", ".join(self.argument(a) for a in self.call.arguments)
        verdict = "true"
        if expected is not None:
            # Compared as bytes: floats must match to the last bit too.
            self.table("expected", "uint8_t", np.frombuffer(expected.tobytes(), np.uint8))
            made, wanted = self.name("output"), self.name("expected")
            verdict = f"memcmp({made}, {wanted}, sizeof {made}) == 0"
        self.lines += [
            f"static bool case_{self.number}(void)", "{",
            f"    {self.call.kernel}({arguments});", f"    return {verdict};", "}", "",
        ]  # fmt: skip
        return "\n".join(self.lines)

    def name(self, part: str) -> str:
        return f"c{self.number}_{part}"

    def table(self, name: str, c_type: str, values: np.ndarray) -> None:
        flat = values.ravel()
        elements = cname.initializer(flat)
        self.lines.append(
            f"static const {c_type} {self.name(name)}[{flat.size}] = {{\n{elements}\n}};"
        )

    def field(self, value: object) -> str:
        match value:
            case None:
                return "NULL"
            case Array():
                return self.name(value.name)
            case Function():
                return value.name
            case tuple():
                return "{" + ", ".join(map(cname.integer, value)) + "}"
            case float():
                return cname.real(value)
        return cname.integer(value)

    def argument(self, argument: object) -> str:
        match argument:
            case Array():
                return self.name(argument.name)
            case Struct():
                return f"&{self.name(argument.name)}"
            case TensorRef():
                const = "" if argument.written else "const "
                part = "output" if argument.written else f"input_{argument.index}"
                return f"({const}{argument.c_type} *){self.name(part)}"
            case Pointers():
                items = ", ".join(self.argument(item) for item in argument.items)
                return f"(const {argument.c_type} *const[]){{{items}}}"
            case Value(None):
                return "NULL"
            case Value(value):
                return cname.integer(value)
            case Scratch(bytes=0):
                return "NULL"
            case Scratch():
                return f"({argument.c_type} *){self.name('scratch')}"
        raise TypeError(argument)
