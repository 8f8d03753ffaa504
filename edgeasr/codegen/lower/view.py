"""An operation with its tensors, and the checks that every lowering makes of them.

All errors are InputErrors that open with the operator's number and kind. A model is hostile until
its shapes, types and quantization have been checked here: the C kernels check nothing.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edgeasr.codegen import extensions
from edgeasr.codegen.call import Argument as CallArgument
from edgeasr.codegen.call import Array, KernelCall, TensorRef
from edgeasr.codegen.packing import Packed, pack
from edgeasr.codegen.sources import closure
from edgeasr.errors import InputError, alternatives
from edgeasr.graph import Graph, Op, Quantization, Tensor

# Bounds that keep every index and every product of sizes in a kernel inside int32.
MAX_OPTION = 1 << 15
MAX_ELEMENTS = 1 << 28
MAX_BYTES = 1 << 30
_NAME_LENGTH = 80
RANGES = {"int8": (-128, 127), "int16": (-32768, 32767), "uint8": (0, 255)}
_C_TYPES = {
    "int8": "int8_t", "int4": "int8_t", "int16": "int16_t", "uint8": "uint8_t",
    "int32": "int32_t", "float32": "float", "uint16": "uint16_t", "uint32": "uint32_t",
    "int64": "int64_t", "uint64": "uint64_t", "bool": "uint8_t",
}  # fmt: skip


def c_type(dtype: str) -> str:
    """Return the C type of a tensor's elements (int4 is unpacked to bytes, a bool is a byte)."""
    return _C_TYPES[dtype]


def call(kernel: str, *arguments: CallArgument, uses: tuple[str, ...] = ()) -> KernelCall:
    """Return a call of `kernel`, whose file has its name, with all files that it needs.

    uses: other kernels that it calls.
    """
    sources = {file for name in (kernel, *uses) for file in closure(f"{name}.c")}
    return KernelCall(kernel, tuple(sorted(sources)), arguments)


@dataclass(frozen=True, eq=False)
class OpView:
    """An operation of a graph, for looking at with checks.

    pack: of its weights, from values and the axis of the output channels. extension: that the
    kernels may use, one of extensions.EXTENSIONS.
    """

    graph: Graph
    op: Op
    pack: Callable[[np.ndarray, int], Packed] = pack
    extension: str = extensions.NONE

    def fail(self, what: str) -> InputError:
        return InputError(f"operator #{self.op.index} {self.op.kind}: {what}")

    def arity(self, least: int, most: int, outputs: int = 1) -> None:
        """Require `least` to `most` inputs, and so many outputs."""
        count = len(self.op.inputs)
        if not least <= count <= most:
            allowed = str(least) if least == most else f"{least} to {most}"
            raise self.fail(f"has {count} inputs; it takes {allowed}")
        if len(self.op.outputs) != outputs:
            raise self.fail(f"has {len(self.op.outputs)} outputs; it takes {outputs}")

    def input(self, position: int, *dtypes: str) -> Tensor:
        """Return input `position`, which must be there and of one of `dtypes`."""
        tensor = self.optional(position, *dtypes)
        if tensor is None:
            raise self.fail(f"input {position} is left out; it is needed")
        return tensor

    def optional(self, position: int, *dtypes: str) -> Tensor | None:
        """Return input `position`, or None where the model leaves it out."""
        inputs = self.op.inputs
        if position >= len(inputs) or inputs[position] == -1:
            return None
        return self._tensor(inputs[position], dtypes)

    def output(self, *dtypes: str, position: int = 0) -> Tensor:
        """Return output `position`, of one of `dtypes`; `arity` has checked that it is there."""
        return self._tensor(self.op.outputs[position], dtypes)

    def _tensor(self, index: int, dtypes: tuple[str, ...]) -> Tensor:
        if not 0 <= index < len(self.graph.tensors):
            raise self.fail(f"names tensor {index} of {len(self.graph.tensors)}")
        tensor = self.graph.tensor(index)
        if tensor.dtype not in dtypes:
            hint = "; quantize the model first" if "float" in tensor.dtype else ""
            raise self.fail(
                f"{named(tensor)} is {tensor.dtype}; supported: {', '.join(dtypes)}{hint}"
            )
        too_large = tensor.elements > MAX_ELEMENTS or tensor.bytes > MAX_BYTES
        if too_large or any(n < 1 for n in tensor.shape):
            raise self.fail(
                f"{named(tensor)} has shape {list(tensor.shape)}; sizes must be fixed, at least "
                f"1, and at most {MAX_ELEMENTS:,} elements and {MAX_BYTES:,} bytes in all"
            )
        if tensor.data is not None and tensor.data.shape != tensor.shape:
            raise self.fail(
                f"{named(tensor)} has data of shape {list(tensor.data.shape)} for its shape "
                f"{list(tensor.shape)}"
            )
        return tensor

    def constant(self, tensor: Tensor) -> np.ndarray:
        """Return the data of a tensor that must be a constant."""
        if tensor.data is None:
            raise self.fail(f"{named(tensor)} must be a constant; it is computed by the model")
        return tensor.data

    def rank(self, tensor: Tensor, rank: int) -> tuple[int, ...]:
        """Return the shape of a tensor that must have `rank` dimensions."""
        if len(tensor.shape) != rank:
            raise self.fail(
                f"{named(tensor)} has shape {list(tensor.shape)}; it needs {rank} dimensions"
            )
        return tensor.shape

    def shape(self, tensor: Tensor, expected: tuple[int, ...]) -> None:
        """Require a shape that follows from the other tensors and the options."""
        if tensor.shape != expected:
            raise self.fail(
                f"{named(tensor)} has shape {list(tensor.shape)}; the operator's inputs and "
                f"options make it {list(expected)}"
            )

    def scales(self, tensor: Tensor) -> Quantization:
        """Return the quantization of a tensor: one or more finite positive scales."""
        found = tensor.quantization
        if found is None or len(found.scales) == 0:
            raise self.fail(f"{named(tensor)} has no quantization; quantize the model first")
        values = np.asarray(found.scales)
        if not (np.isfinite(values) & (values > 0)).all():
            bad = values[~(np.isfinite(values) & (values > 0))][0]
            raise self.fail(f"{named(tensor)} has scale {bad:g}; it must be finite and above 0")
        if len(found.zero_points) != len(values):
            raise self.fail(
                f"{named(tensor)} has {len(found.zero_points)} zero points for {len(values)} scales"
            )
        low, high = RANGES.get("int8" if tensor.dtype == "int4" else tensor.dtype, (0, 0))
        for point in np.asarray(found.zero_points).tolist():
            if not low <= point <= high:
                raise self.fail(
                    f"{named(tensor)} has zero point {point}; {tensor.dtype} allows {low} to {high}"
                )
        return found

    def quantization(self, tensor: Tensor) -> tuple[np.float32, int]:
        """Return (scale, zero point) of a tensor quantized as a whole."""
        found = self.scales(tensor)
        if len(found.scales) != 1:
            raise self.fail(
                f"{named(tensor)} has {len(found.scales)} scales; it needs one for all channels"
            )
        return np.float32(found.scales[0]), int(found.zero_points[0])

    def same_quantization(self, one: Tensor, other: Tensor) -> None:
        """Require that two tensors are quantized alike, which is so too where neither is."""
        if one.quantization is None and other.quantization is None:
            return
        if self.quantization(one) != self.quantization(other):
            raise self.fail(
                f"{named(one)} and {named(other)} must have one scale and zero point; they "
                f"have {_quantized(one)} and {_quantized(other)}"
            )

    def integer(self, name: str, low: int = 1, high: int = MAX_OPTION) -> int:
        """Return the integer option `name`."""
        value = self._option(name)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.fail(f"option {name} is {value}; allowed: {low} to {high}")
        return value

    def real(self, name: str) -> np.float32:
        """Return the option `name`, a finite float32."""
        value = self._option(name)
        if not isinstance(value, int | float) or not math.isfinite(np.float32(value)):
            raise self.fail(f"option {name} is {value}; it must be a finite number")
        return np.float32(value)

    def boolean(self, name: str) -> bool:
        return bool(self._option(name))

    def choice(self, name: str, *allowed: str) -> str:
        """Return the option `name`, one of a few names."""
        value = self._option(name)
        if value not in allowed:
            raise self.fail(f"option {name} is {value}; {alternatives(str(value), allowed)}")
        return str(value)

    def _option(self, name: str) -> object:
        if name not in self.op.options:
            raise self.fail(f"the file does not state option {name}")
        return self.op.options[name]

    def read(self, tensor: Tensor, name: str = "input", as_type: str = "") -> Array | TensorRef:
        """Return the argument for a kernel that reads `tensor`, constant or computed."""
        kind = as_type or c_type(tensor.dtype)
        if tensor.data is None:
            return TensorRef(tensor.index, kind)
        values = tensor.data.astype(tensor.data.dtype.newbyteorder("="))
        if as_type:
            values = values.view(as_type.removesuffix("_t"))
        elif tensor.dtype == "bool":
            values = values.view(np.uint8)
        return Array(name, kind, values)

    def write(self, tensor: Tensor, as_type: str = "") -> TensorRef:
        """Return the argument for a kernel that writes `tensor`."""
        return TensorRef(tensor.index, as_type or c_type(tensor.dtype), written=True)


def named(tensor: Tensor) -> str:
    """Return what messages call a tensor; the very long names of converters are cut."""
    name = "".join(c if c.isprintable() else "?" for c in tensor.name)
    return f'tensor "{name if len(name) <= _NAME_LENGTH else name[:_NAME_LENGTH] + "…"}"'


def _quantized(tensor: Tensor) -> str:
    found = tensor.quantization
    return f"({found.scale:g}, {found.zero_point})" if found is not None else "none"
