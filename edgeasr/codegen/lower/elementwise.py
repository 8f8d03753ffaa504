"""ADD, SUB and MUL of two int8 or two int16 tensors, with broadcasting."""

import itertools
from dataclasses import replace

from edgeasr.codegen import extensions
from edgeasr.codegen.call import KernelCall, Struct, Value
from edgeasr.codegen.lower.quantized import activation_range, below_one, multiplier
from edgeasr.codegen.lower.view import OpView, call
from edgeasr.codegen.lower.wide import SHORT, symmetric
from edgeasr.graph import Tensor

# Bits below the point that both inputs get before they are brought to one scale.
EXTRA_BITS = {"int8": 20, "int16": 15}
_MAX_DIMS = 6


def add(view: OpView) -> KernelCall:
    return _sum(view, 1)


def sub(view: OpView) -> KernelCall:
    return _sum(view, -1)


def _sum(view: OpView, sign: int) -> KernelCall:
    input1, input2, output = _tensors(view)
    (scale1, point1), (scale2, point2), (scale, point) = map(
        view.quantization, (input1, input2, output)
    )
    common = 2 * float(max(scale1, scale2))
    multiplier1, shift1 = below_one(view, float(scale1) / common, "both inputs")
    multiplier2, shift2 = below_one(view, float(scale2) / common, "both inputs")
    more = 1 << EXTRA_BITS[output.dtype]
    factor, shift = below_one(view, common / (more * float(scale)), "inputs and output")
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
            **activation_range(view, output),
            "sign": sign,
        },
    )
    return _call(view, "add", params, input1, input2, output)


def mul(view: OpView) -> KernelCall:
    input1, input2, output = _tensors(view)
    (scale1, point1), (scale2, point2), (scale, point) = map(
        view.quantization, (input1, input2, output)
    )
    real = float(scale1) * float(scale2) / float(scale)
    factor, shift = multiplier(view, real, "inputs and output")
    params = Struct(
        "params",
        "ear_mul_t",
        {
            "input1_offset": -point1,
            "input2_offset": -point2,
            "output_offset": point,
            "output_multiplier": factor,
            "output_shift": shift,
            **activation_range(view, output),
        },
    )
    return _call(view, "mul", params, input1, input2, output)


def _tensors(view: OpView) -> tuple[Tensor, Tensor, Tensor]:
    view.arity(2, 2)
    input1 = view.input(0, "int8", "int16")
    input2, output = view.input(1, input1.dtype), view.output(input1.dtype)
    symmetric(view, input1, input2, output)
    return input1, input2, output


def _call(
    view: OpView, name: str, params: Struct, input1: Tensor, input2: Tensor, output: Tensor
) -> KernelCall:
    shape = broadcast(view, input1, input2, output)
    by_vectors = view.extension == extensions.MVE and (name, output.dtype) == ("add", "int8")
    by_vectors = by_vectors and input1.elements == input2.elements == output.elements
    made = call(
        f"ear_{name}_{SHORT[output.dtype]}{'_mve' if by_vectors else ''}",
        params,
        Value(output.elements) if by_vectors else shape,
        view.read(input1, "input1"),
        view.read(input2, "input2"),
        view.write(output),
    )
    whole = [t.index for t in (input1, input2) if t.data is None and t.shape == output.shape]
    return replace(made, overwrites=whole[0] if whole else None)


def broadcast(view: OpView, input1: Tensor, input2: Tensor, output: Tensor) -> Struct:
    """Return the ear_broadcast_t: neighbouring dimensions of one pattern are merged."""
    rank = max(len(input1.shape), len(input2.shape))
    one, other = ((1,) * (rank - len(t.shape)) + t.shape for t in (input1, input2))
    merged: list[list[int]] = []  # [size in input 1, size in input 2], innermost first
    last = None
    for a, b in zip(reversed(one), reversed(other), strict=True):
        if a != b and 1 not in (a, b):
            raise view.fail(
                f"shapes {list(input1.shape)} and {list(input2.shape)} do not broadcast"
            )
        if a == b == 1:
            continue
        pattern = (a == 1, b == 1)
        if pattern == last:
            merged[-1] = [merged[-1][0] * a, merged[-1][1] * b]
        else:
            merged.append([a, b])
        last = pattern
    view.shape(output, tuple(max(a, b) for a, b in zip(one, other, strict=True)))
    if len(merged) > _MAX_DIMS:
        raise view.fail(
            f"shapes {list(input1.shape)} and {list(input2.shape)} broadcast in "
            f"{len(merged)} separate dimensions; at most {_MAX_DIMS}"
        )
    sizes = [tuple(pair) for pair in reversed(merged)]
    sizes = [(1, 1)] * (_MAX_DIMS - len(sizes)) + sizes
    return Struct(
        "shape",
        "ear_broadcast_t",
        {
            "size": tuple(max(pair) for pair in sizes),
            "stride1": _strides([a for a, _ in sizes]),
            "stride2": _strides([b for _, b in sizes]),
        },
    )


def _strides(sizes: list[int]) -> tuple[int, ...]:
    """Return the stride of each dimension of a dense tensor, 0 where its size is 1."""
    inner = itertools.accumulate(reversed(sizes[1:]), lambda a, b: a * b, initial=1)
    return tuple(
        0 if n == 1 else step for n, step in zip(sizes, reversed(list(inner)), strict=True)
    )
