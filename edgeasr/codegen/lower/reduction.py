"""Operations that reduce axes: MEAN, SUM, REDUCE_MAX and its kin, ARG_MAX and its kin, CUMSUM."""

import math

from edgeasr.codegen.call import KernelCall, Struct
from edgeasr.codegen.fixedpoint import quantize_multiplier
from edgeasr.codegen.lower.pool import check_count
from edgeasr.codegen.lower.quantized import below_one, multiplier
from edgeasr.codegen.lower.view import OpView, call, named
from edgeasr.codegen.lower.wide import SHORT, symmetric
from edgeasr.graph import Tensor

_MAX_RUNS = 3
# Bits below the point that CUMSUM gives its input, of which its own scale takes one.
_EXTRA_BITS = 20


def mean(view: OpView) -> KernelCall:
    return _sum(view, True)


def sum_(view: OpView) -> KernelCall:
    return _sum(view, False)


def _sum(view: OpView, divided: bool) -> KernelCall:
    """Return the sum over axes, divided by their elements or not: that is all in the factor."""
    input_, output, axes = _reduced(view, "int8", "int16")
    symmetric(view, input_, output)
    count = math.prod(input_.shape[i] for i in axes)
    check_count(view, input_, count)
    factor, shift = _multiplier(view, input_, output, count if divided else 1)
    fields = {
        **_runs(view, input_.shape, axes, "summed"),
        "sum_offset": -view.quantization(input_)[1] * count,
        "multiplier": factor,
        "shift": shift,
        "output_offset": view.quantization(output)[1],
    }
    params = Struct("params", "ear_mean_t", fields)
    return call(f"ear_mean_{SHORT[input_.dtype]}", params, view.read(input_), view.write(output))


def reduce_max(view: OpView) -> KernelCall:
    return _extreme(view, 1)


def reduce_min(view: OpView) -> KernelCall:
    return _extreme(view, -1)


def reduce_all(view: OpView) -> KernelCall:
    """REDUCE_ALL: the smallest of some bools."""
    return _extreme(view, -1, "bool")


def _extreme(view: OpView, sign: int, dtype: str = "int8") -> KernelCall:
    input_, output, axes = _reduced(view, dtype)
    if dtype == "int8":
        view.same_quantization(input_, output)
    fields = {**_runs(view, input_.shape, axes, "reduced"), "sign": sign}
    params = Struct("params", "ear_extreme_t", fields)
    return call(
        "ear_extreme_s8",
        params,
        view.read(input_, as_type="int8_t"),
        view.write(output, as_type="int8_t"),
    )


def _reduced(view: OpView, *dtypes: str) -> tuple[Tensor, Tensor, frozenset[int]]:
    """Return input, output and the axes that are reduced."""
    view.arity(2, 2)
    input_ = view.input(0, *dtypes)
    output = view.output(input_.dtype)
    axes = _axes(view, input_, view.input(1, "int32"))
    keep = view.boolean("keep_dims")
    left = [(1 if i in axes else n) for i, n in enumerate(input_.shape) if keep or i not in axes]
    view.shape(output, tuple(left))
    return input_, output, axes


def arg_max(view: OpView) -> KernelCall:
    return _arg_extreme(view, True)


def arg_min(view: OpView) -> KernelCall:
    return _arg_extreme(view, False)


def _arg_extreme(view: OpView, largest: bool) -> KernelCall:
    view.arity(2, 2)
    input_, output = view.input(0, "int8", "float32"), view.output("int32")
    axis = _axis(view, input_, view.input(1, "int32"))
    view.shape(output, input_.shape[:axis] + input_.shape[axis + 1 :])
    params = Struct(
        "params", "ear_arg_extreme_t", {**_around(input_.shape, axis), "largest": largest}
    )
    kernel = f"ear_arg_extreme_{SHORT[input_.dtype]}"
    return call(kernel, params, view.read(input_), view.write(output))


def cumsum(view: OpView) -> KernelCall:
    """CUMSUM: each output the sum of the elements up to it along an axis, in either direction."""
    view.arity(2, 2)
    input_, output = view.input(0, "int8"), view.output("int8")
    view.shape(output, input_.shape)
    axis = _axis(view, input_, view.input(1, "int32"))
    around = _around(input_.shape, axis)
    (scale, point), (output_scale, output_point) = map(view.quantization, (input_, output))
    real = 2 * float(scale) / ((1 << _EXTRA_BITS) * float(output_scale))
    factor, shift = below_one(view, real, "input and output")
    backwards = view.boolean("reverse")
    fields = {
        **around,
        "start": (around["size"] - 1) * around["inner"] if backwards else 0,
        "step": -around["inner"] if backwards else around["inner"],
        "exclusive": view.boolean("exclusive"),
        "input_offset": -point,
        "output_multiplier": factor,
        "output_shift": shift,
        "output_offset": output_point,
    }
    params = Struct("params", "ear_cumsum_t", fields)
    return call("ear_cumsum_s8", params, view.read(input_), view.write(output))


def _around(shape: tuple[int, ...], axis: int) -> dict[str, int]:
    """Return the elements before, along and behind an axis."""
    return {
        "outer": math.prod(shape[:axis]),
        "size": shape[axis],
        "inner": math.prod(shape[axis + 1 :]),
    }


def _axis(view: OpView, input_: Tensor, axis: Tensor) -> int:
    axes = _axes(view, input_, axis)
    if axis.elements != 1:
        raise view.fail(f"{named(axis)} has {axis.elements} elements; it takes one axis")
    return next(iter(axes))


def _axes(view: OpView, input_: Tensor, axis: Tensor) -> frozenset[int]:
    rank = len(input_.shape)
    axes = view.constant(axis).ravel().tolist()
    for value in axes:
        if not -rank <= value < rank:
            raise view.fail(f"{named(axis)} holds axis {value}; allowed: {-rank} to {rank - 1}")
    return frozenset(a % rank for a in axes)


def _multiplier(view: OpView, input_: Tensor, output: Tensor, count: int) -> tuple[int, int]:
    """Fold 1 / count into the factor as QuantizedMeanOrSum does: an integer division, truncated."""
    real = float(view.quantization(input_)[0]) / float(view.quantization(output)[0])
    multiplier(view, real, "input and output")
    value, shift = quantize_multiplier(real)
    moved = min(count.bit_length() - 1, 32, 31 + shift)
    return (value << moved) // count, shift - moved


def _runs(
    view: OpView, shape: tuple[int, ...], axes: frozenset[int], name: str
) -> dict[str, tuple[int, ...]]:
    """Merge neighbouring dimensions of one fate; return sizes and strides, outermost first.

    name: of the fields of the dimensions that are reduced.
    """
    runs: list[tuple[bool, int, int]] = []  # summed, size, stride
    stride = 1
    for i in reversed(range(len(shape))):
        summed = i in axes
        if shape[i] == 1:
            continue
        if runs and runs[-1][0] == summed:
            runs[-1] = (summed, runs[-1][1] * shape[i], runs[-1][2])
        else:
            runs.append((summed, shape[i], stride))
        stride *= shape[i]
    fields: dict[str, object] = {}
    for field, wanted in (("kept", False), (name, True)):
        found = [(size, step) for summed, size, step in reversed(runs) if summed == wanted]
        if len(found) > _MAX_RUNS:
            raise view.fail(f"keeps and reduces {len(shape)} dimensions in turn; at most 6")
        found = [(1, 0)] * (_MAX_RUNS - len(found)) + found
        fields[field] = tuple(size for size, _ in found)
        fields[f"{field}_stride"] = tuple(step for _, step in found)
    return fields
