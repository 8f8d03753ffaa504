"""Arithmetic on plain int32, extremes, DIV, SQUARED_DIFFERENCE, ADD_N, comparisons, logic, CAST.

int32 here is a number as it stands, without quantization. What TFLite-Micro refuses, or stops at
when it runs, is refused: divisors that are constants of zero, comparisons of int16.
"""

from collections.abc import Callable, Mapping

import numpy as np

from edgeasr.codegen.call import Alias, Array, KernelCall, Pointers, Struct, Value
from edgeasr.codegen.fixedpoint import INT32_MAX, INT32_MIN
from edgeasr.codegen.lower.elementwise import broadcast
from edgeasr.codegen.lower.quantized import (
    ACTIVATIONS,
    activation_range,
    below_one,
    multiplier,
)
from edgeasr.codegen.lower.view import RANGES, OpView, call, named
from edgeasr.codegen.lower.wide import Lowering, symmetric
from edgeasr.graph import DTYPE_BYTES, Tensor

_SHORT = {"int8": "s8", "int16": "s16", "int32": "s32", "int64": "s64", "bool": "u8"}
_LIMITS = {
    "NONE": (INT32_MIN, INT32_MAX),
    "RELU": (0, INT32_MAX),
    "RELU6": (0, 6),
    "RELU_N1_TO_1": (-1, 1),
}
# Bits of ear_compare_t: less, equal, greater.
_ACCEPTED = {
    "LESS": 0b001, "LESS_EQUAL": 0b011, "GREATER": 0b100, "GREATER_EQUAL": 0b110,
    "EQUAL": 0b010, "NOT_EQUAL": 0b101,
}  # fmt: skip
# Truth tables of ear_truth_t, of bits 2 a + b.
_TRUTHS = {"LOGICAL_AND": 0b1000, "LOGICAL_OR": 0b1110, "EQUAL": 0b1001, "NOT_EQUAL": 0b0110}
# Left shifts of the quotient of two int8: above, the reciprocal's bits leave 32.
_MAX_DIV_SHIFT = 22
# More inputs of ADD_N could overflow 32 bits.
_MAX_SUMMANDS = 15
_DIFFERENCE_BITS = {"int8": 7, "int16": 0}
_CAST_FROM = ("int8", "int16", "int32", "uint32", "float32", "bool")
_CAST_TO = ("int8", "int16", "int32", "uint32", "float32")

# By whether the input is float32, and whether the output is.
_CAST_KERNELS: Mapping[tuple[bool, bool], str] = {
    (False, False): "ear_cast_integer",
    (False, True): "ear_cast_integer_f32",
    (True, False): "ear_cast_f32_integer",
}


def or_plain(name: str, quantized: Lowering) -> Lowering:
    """Return a lowering that is `quantized`, but for int32 the kernel ear_<name>_s32."""

    def chosen(view: OpView) -> KernelCall | Alias:
        return _plain(view, name) if _dtype(view) == "int32" else quantized(view)

    return chosen


def _dtype(view: OpView) -> str:
    first = view.op.inputs[0] if view.op.inputs else -1
    return view.graph.tensor(first).dtype if 0 <= first < len(view.graph.tensors) else ""


def _plain(view: OpView, name: str) -> KernelCall:
    input1, input2, output = _operands(view, "int32")
    low, high = _LIMITS[view.choice("fused_activation_function", *ACTIVATIONS)]
    if name == "add":  # TFLite-Micro leaves the activation of an int32 sum out
        low, high = _LIMITS["NONE"]
    if name == "div":
        _divisors(view, input2, 0)
    params = Struct("params", "ear_range_s32_t", {"output_min": low, "output_max": high})
    return _call(view, f"ear_{name}_s32", params, input1, input2, output)


def _operands(view: OpView, *dtypes: str) -> tuple[Tensor, Tensor, Tensor]:
    """Return two inputs and an output of one type."""
    view.arity(2, 2)
    input1 = view.input(0, *dtypes)
    return input1, view.input(1, input1.dtype), view.output(input1.dtype)


def _call(
    view: OpView,
    kernel: str,
    params: Struct | None,
    input1: Tensor,
    input2: Tensor,
    output: Tensor,
) -> KernelCall:
    return call(
        kernel,
        *((params,) if params else ()),
        broadcast(view, input1, input2, output),
        view.read(input1, "input1"),
        view.read(input2, "input2"),
        view.write(output),
    )


def _divisors(view: OpView, tensor: Tensor, zero: int) -> None:
    if tensor.data is not None and (tensor.data == zero).any():
        raise view.fail(f"{named(tensor)} holds {zero}, which stands for 0; divisors must not")


def div(view: OpView) -> KernelCall:
    """DIV of two int8."""
    input1, input2, output = _operands(view, "int8")
    (scale1, point1), (scale2, point2), (scale, point) = map(
        view.quantization, (input1, input2, output)
    )
    _divisors(view, input2, point2)
    real = float(scale1) / (float(scale2) * float(scale))
    factor, shift = multiplier(view, real, "inputs and output")
    if shift > _MAX_DIV_SHIFT:
        raise view.fail(
            f"the scales of inputs and output give the factor {real:g}; it must be below "
            f"2^{_MAX_DIV_SHIFT}"
        )
    params = Struct(
        "params",
        "ear_div_t",
        {
            "input1_offset": -point1,
            "input2_offset": -point2,
            "output_offset": point,
            "output_multiplier": factor,
            "output_shift": shift,
            **activation_range(view, output),
        },
    )
    return _call(view, "ear_div_s8", params, input1, input2, output)


def squared_difference(view: OpView) -> KernelCall:
    input1, input2, output = _operands(view, "int8", "int16", "int32")
    kernel = f"ear_squared_difference_{_SHORT[output.dtype]}"
    if output.dtype == "int32":
        return _call(view, kernel, None, input1, input2, output)
    symmetric(view, input1, input2, output)
    (scale1, point1), (scale2, point2), (scale, point) = map(
        view.quantization, (input1, input2, output)
    )
    common = 2 * float(max(scale1, scale2))
    multiplier1, shift1 = below_one(view, float(scale1) / common, "both inputs")
    multiplier2, shift2 = below_one(view, float(scale2) / common, "both inputs")
    more = np.float32(1 << 2 * _DIFFERENCE_BITS[output.dtype])
    factor, shift = multiplier(view, common * common / float(more * scale), "inputs and output")
    low, high = RANGES[output.dtype]
    params = Struct(
        "params",
        "ear_add_t",
        {
            "input1_offset": -point1,
            "input1_multiplier": multiplier1,
            "input1_shift": shift1,
            "input2_offset": -point2,
            "input2_multiplier": multiplier2,
            "input2_shift": shift2,
            "output_offset": point,
            "output_multiplier": factor,
            "output_shift": shift,
            "output_min": low,
            "output_max": high,
            "sign": -1,
        },
    )
    return _call(view, kernel, params, input1, input2, output)


def minimum(view: OpView) -> KernelCall:
    return _extreme(view, 0)


def maximum(view: OpView) -> KernelCall:
    return _extreme(view, 1)


def _extreme(view: OpView, which: int) -> KernelCall:
    input1, input2, output = _operands(view, "int8", "int16", "int32", "int64")
    params = Struct("params", "ear_min_max_t", {"maximum": which})
    return _call(view, f"ear_min_max_{_SHORT[output.dtype]}", params, input1, input2, output)


def comparison(view: OpView) -> KernelCall:
    """EQUAL and the like, by the kind of the operator; bools have no order."""
    view.arity(2, 2)
    dtypes = ("int8", "int32", "int64") + (("bool",) if view.op.kind in _TRUTHS else ())
    input1 = view.input(0, *dtypes)
    input2, output = view.input(1, input1.dtype), view.output("bool")
    if input1.dtype == "bool":
        return _truth(view, input1, input2, output)
    scaling: dict[str, int] = {}
    for position, tensor in enumerate((input1, input2), 1):
        offset, factor, shift = _scaling(view, tensor) if tensor.dtype == "int8" else (0, 0, 0)
        scaling |= {
            f"input{position}_offset": offset,
            f"input{position}_multiplier": factor,
            f"input{position}_shift": shift,
        }
    params = Struct("params", "ear_compare_t", {"accepted": _ACCEPTED[view.op.kind], **scaling})
    return _call(view, f"ear_compare_{_SHORT[input1.dtype]}", params, input1, input2, output)


def _scaling(view: OpView, tensor: Tensor) -> tuple[int, int, int]:
    scale, point = view.quantization(tensor)
    return -point, *below_one(view, float(scale), named(tensor))


def logical(view: OpView) -> KernelCall:
    """LOGICAL_AND and LOGICAL_OR."""
    return _truth(view, *_operands(view, "bool"))


def _truth(view: OpView, input1: Tensor, input2: Tensor, output: Tensor) -> KernelCall:
    params = Struct("params", "ear_truth_t", {"table": _TRUTHS[view.op.kind]})
    return _call(view, "ear_truth_u8", params, input1, input2, output)


def logical_not(view: OpView) -> KernelCall:
    view.arity(1, 1)
    input_, output = view.input(0, "bool"), view.output("bool")
    view.shape(output, input_.shape)
    table = (np.arange(256) == 0).astype(np.uint8)
    return call(
        "ear_lookup_u8",
        Array("table", "uint8_t", table),
        Value(input_.elements),
        view.read(input_),
        view.write(output),
    )


def add_n(view: OpView) -> KernelCall:
    view.arity(2, _MAX_SUMMANDS)
    output = view.output("int8")
    inputs = [view.input(i, "int8") for i in range(len(view.op.inputs))]
    for tensor in inputs:
        view.shape(tensor, output.shape)
        view.same_quantization(inputs[0], tensor)
    (scale_in, point_in), (scale, point) = map(view.quantization, (inputs[0], output))
    real = 2 * float(scale_in) / ((1 << 20) * float(scale))
    factor, shift = below_one(view, real, "inputs and output")
    params = Struct(
        "params",
        "ear_add_n_t",
        {
            "inputs": len(inputs),
            "count": output.elements,
            "input_offset": -point_in,
            "output_offset": point,
            "output_multiplier": factor,
            "output_shift": shift,
        },
    )
    items = tuple(view.read(t, f"input{i}") for i, t in enumerate(inputs))
    return call("ear_add_n_s8", params, Pointers("int8_t", items), view.write(output))


def cast(view: OpView) -> KernelCall | Alias:
    """CAST between the types that TFLite-Micro has it for; floats go towards zero."""
    view.arity(1, 1)
    input_, output = view.input(0, *_CAST_FROM), view.output(*_CAST_TO)
    view.shape(output, input_.shape)
    if input_.dtype == output.dtype and input_.data is None:
        return Alias(input_.index, output.index)
    integers = tuple(t for t in (input_, output) if t.dtype != "float32")
    if not integers:
        raise view.fail(f"{named(input_)} is a constant; fold constants when converting")
    kernel = _CAST_KERNELS[input_.dtype == "float32", output.dtype == "float32"]
    params = Struct(
        "params",
        "ear_cast_t",
        {
            "count": input_.elements,
            "input_bytes": DTYPE_BYTES[input_.dtype],
            "input_signed": int(input_.dtype.startswith("int")),
            "output_bytes": DTYPE_BYTES[output.dtype],
            "output_signed": int(output.dtype.startswith("int")),
        },
    )
    return call(kernel, params, view.read(input_), view.write(output))


LOWERINGS: Mapping[str, Callable[[OpView], KernelCall | Alias]] = {
    "ADD_N": add_n,
    "CAST": cast,
    "LOGICAL_AND": logical,
    "LOGICAL_NOT": logical_not,
    "LOGICAL_OR": logical,
    "MAXIMUM": maximum,
    "MINIMUM": minimum,
    "SQUARED_DIFFERENCE": squared_difference,
    **dict.fromkeys(_ACCEPTED, comparison),
}
