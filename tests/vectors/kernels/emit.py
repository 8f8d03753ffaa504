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
    State,
    Struct,
    TensorRef,
    Value,
)
from edgeasr.codegen.lower.view import c_type
from edgeasr.graph import Tensor
from tests.vectors.kernels import host
from tests.vectors.kernels.building import Case
from tests.vectors.kernels.oracle import Outputs


@dataclass(frozen=True)
class Program:
    """text: the C. sources: runtime files to compile with it. names: of the cases, in order."""

    text: str
    sources: tuple[str, ...]
    names: tuple[str, ...]


def program(
    cases: Iterable[tuple[Case, KernelCall | Alias, tuple[Outputs, ...] | None]],
) -> Program:
    """Return the program of these cases, as lowered, with the expected outputs of each invocation.

    Cases with expected outputs of None run without a look. An alias has no code to try.
    """
    parts, calls, sources, names = [], [], {"ear_kernels.h"}, []
    for case, call, expected in cases:
        if isinstance(call, Alias):
            continue
        number = len(names) + 1
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
    """Writes the tables of one case, and a function that runs its invocations and compares."""

    def __init__(self, case: Case, call: KernelCall, number: int):
        self.case, self.call, self.number = case, call, number
        self.lines: list[str] = []
        self.body: list[str] = []
        self.step = 0
        self.in_place = False

    def function(self, expected: tuple[Outputs, ...] | None) -> str:
        self.constants()
        self.memory()
        for step, inputs in enumerate(self.case.steps):
            self.step = step
            self.invocation(inputs, expected[step] if expected is not None else None)
        self.lines += [f"static bool case_{self.number}(void)", "{", *self.body]
        return "\n".join([*self.lines, "    return true;", "}", ""])

    def constants(self) -> None:
        for array in self.call.arrays():
            self.table(array.name, array.c_type, array.values)
        for struct in self.call.structs():
            fields = ", ".join(f".{k} = {self.field(v)}" for k, v in struct.fields.items())
            self.lines.append(
                f"static const {struct.c_type} {self.name(struct.name)} = {{{fields}}};"
            )

    def memory(self) -> None:
        """Outputs, scratch, and what lasts: the state of the call and the variables."""
        for index in self.case.op.outputs:
            self.room(self.made(index), self.case.graph.tensor(index))
        if scratch := self.call.scratch_bytes:
            self.lines.append(f"static _Alignas(16) int8_t {self.name('scratch')}[{scratch}];")
        for state in self.call.states():
            name = self.name(state.name)
            self.lines.append(f"static _Alignas(16) {state.c_type} {name}[{state.values.size}];")
            self.table(f"{state.name}_start", state.c_type, state.values)
            self.body.append(f"    memcpy({name}, {name}_start, sizeof {name});")
        for tensor in self.case.graph.tensors:
            if tensor.is_variable:
                name = self.made(tensor.index)
                self.room(name, tensor)
                self.table(f"start_{tensor.index}", c_type(tensor.dtype), host.start(tensor))
                start = self.name(f"start_{tensor.index}")
                self.body.append(f"    memcpy({name}, {start}, sizeof {name});")

    def room(self, name: str, tensor: Tensor) -> None:
        self.lines.append(f"static _Alignas(16) {c_type(tensor.dtype)} {name}[{tensor.elements}];")

    def invocation(self, inputs: tuple[np.ndarray, ...], expected: Outputs | None) -> None:
        for index, values in zip(self.case.graph.inputs, inputs, strict=True):
            name = f"s{self.step}_{index}"
            self.table(name, f"_Alignas(16) {c_type(values.dtype.name)}", values)
            self.body.append(f"    (void){self.name(name)};")  # not all are read
        self.body.append(f"    {self.invoked()};")
        for index, values in zip(self.case.op.outputs, expected or (), strict=False):
            # Compared as bytes: floats must match to the last bit too.
            wanted = f"s{self.step}_expected_{index}"
            self.table(wanted, "uint8_t", np.frombuffer(values.tobytes(), np.uint8))
            made = self.made(index)
            self.body += [
                f"    if (memcmp({made}, {self.name(wanted)}, sizeof {made}) != 0) {{",
                "        return false;",
                "    }",
            ]

        if self.call.overwrites is not None:
            self.over_its_input(expected)

    def invoked(self) -> str:
        arguments = ", ".join(self.argument(a) for a in self.call.arguments)
        return f"{self.call.kernel}({arguments})"

    def over_its_input(self, expected: Outputs | None) -> None:
        """Run once more, with the output where it may overwrite the input."""
        source, (target,) = self.call.overwrites, self.case.op.outputs
        tensors = [self.case.graph.tensor(i) for i in (source, target)]
        place, read = self.name("place"), self.read(source)
        if self.step == 0:
            most = max(self.call.ahead + tensors[0].bytes, tensors[1].bytes)
            self.lines.append(f"static _Alignas(16) int8_t {place}[{most}];")
        self.body.append(f"    memcpy({place} + {self.call.ahead}, {read}, sizeof {read});")
        self.in_place = True
        self.body.append(f"    {self.invoked()};")
        self.in_place = False
        if expected is not None:
            wanted = self.name(f"s{self.step}_expected_{target}")
            self.body += [
                f"    if (memcmp({place}, {wanted}, sizeof {wanted}) != 0) {{",
                "        return false;",
                "    }",
            ]

    def name(self, part: str) -> str:
        return f"c{self.number}_{part}"

    def made(self, index: int) -> str:
        """Return the name of the memory of an output or a variable."""
        return self.name(f"tensor_{index}")

    def read(self, index: int) -> str:
        """Return the name of the memory that a tensor is read from in this invocation."""
        is_input = index in self.case.graph.inputs
        return self.name(f"s{self.step}_{index}") if is_input else self.made(index)

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
            case State():
                return self.name(argument.name)
            case Struct():
                return f"&{self.name(argument.name)}"
            case TensorRef():
                const = "" if argument.written else "const "
                if self.in_place and (argument.written or argument.index == self.call.overwrites):
                    ahead = 0 if argument.written else self.call.ahead
                    place = f"({self.name('place')} + {ahead})"
                    return f"({const}{argument.c_type} *)(void *){place}"
                if argument.written:
                    return f"({argument.c_type} *){self.made(argument.index)}"
                return f"(const {argument.c_type} *){self.read(argument.index)}"
            case Pointers():
                items = ", ".join(self.argument(item) for item in argument.items)
                const = "" if argument.written else "const "
                return f"({const}{argument.c_type} *const[]){{{items}}}"
            case Value(None):
                return "NULL"
            case Value(value):
                return cname.integer(value)
            case Scratch(bytes=0):
                return "NULL"
            case Scratch():
                return f"({argument.c_type} *)(void *){self.name('scratch')}"
        raise TypeError(argument)
