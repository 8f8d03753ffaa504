"""AVERAGE_POOL_2D, MAX_POOL_2D and MEAN on int8 or int16."""

import math

from edgeasr.codegen.call import KernelCall, Struct
from edgeasr.codegen.fixedpoint import quantize_multiplier
from edgeasr.codegen.lower.conv import axis_padding, dims
from edgeasr.codegen.lower.quantized import activation_range, multiplier
from edgeasr.codegen.lower.view import OpView, call, named
from edgeasr.codegen.lower.wide import MAX_SUMMED, SHORT, symmetric
from edgeasr.graph import Tensor

# More values than this could overflow a 32-bit sum, with the zero point taken off.
_MAX_SUMMED = {"int8": 1 << 23, "int16": MAX_SUMMED}
_MAX_RUNS = 3


def average_pool_2d(view: OpView) -> KernelCall:
    return _pool(view, "average_pool")


def max_pool_2d(view: OpView) -> KernelCall:
    return _pool(view, "max_pool")


def _pool(view: OpView, name: str) -> KernelCall:
    view.arity(1, 1)
    input_ = view.input(0, "int8", "int16")
    output = view.output(input_.dtype)
    symmetric(view, input_, output)
    batch, height, width, channels = view.rank(input_, 4)
    padding = view.choice("padding", "SAME", "VALID")
    taps_h, taps_w = view.integer("filter_height"), view.integer("filter_width")
    stride_h, stride_w = view.integer("stride_h"), view.integer("stride_w")
    out_h, pad_h = axis_padding(view, padding, height, taps_h, stride_h)
    out_w, pad_w = axis_padding(view, padding, width, taps_w, stride_w)
    view.shape(output, (batch, out_h, out_w, channels))
    _check_count(view, input_, min(taps_h, height) * min(taps_w, width))
    _check_same_scale(view, input_, output)
    params = Struct(
        "params",
        "ear_pool_t",
        {
            **activation_range(view, output),
            "filter_h": taps_h,
            "filter_w": taps_w,
            "stride_h": stride_h,
            "stride_w": stride_w,
            "pad_h": pad_h,
            "pad_w": pad_w,
        },
    )
    return call(
        f"ear_{name}_{SHORT[input_.dtype]}",
        params,
        dims("input_dims", input_.shape),
        view.read(input_),
        dims("output_dims", output.shape),
        view.write(output),
    )


def _check_same_scale(view: OpView, input_: Tensor, output: Tensor) -> None:
    """TFLite-Micro takes scales that differ by up to 1e-6 as one."""
    (scale_in, point_in), (scale_out, point_out) = map(view.quantization, (input_, output))
    if abs(scale_in - scale_out) > 1e-6 or point_in != point_out:
        view.same_quantization(input_, output)


def _check_count(view: OpView, input_: Tensor, count: int) -> None:
    most = _MAX_SUMMED[input_.dtype]
    if count > most:
        raise view.fail(f"sums {count:,} elements of {input_.dtype} each; at most {most:,}")


def mean(view: OpView) -> KernelCall:
    view.arity(2, 2)
    input_ = view.input(0, "int8", "int16")
    output = view.output(input_.dtype)
    symmetric(view, input_, output)
    axes = _axes(view, input_, view.input(1, "int32"))
    keep = view.boolean("keep_dims")
    left = [(1 if i in axes else n) for i, n in enumerate(input_.shape) if keep or i not in axes]
    view.shape(output, tuple(left))
    count = math.prod(input_.shape[i] for i in axes)
    _check_count(view, input_, count)
    input_point = view.quantization(input_)[1]
    factor, shift = _mean_multiplier(view, input_, output, count)
    params = Struct(
        "params",
        "ear_mean_t",
        {
            **_runs(view, input_.shape, axes),
            "sum_offset": -input_point * count,
            "multiplier": factor,
            "shift": shift,
            "output_offset": view.quantization(output)[1],
        },
    )
    return call(f"ear_mean_{SHORT[input_.dtype]}", params, view.read(input_), view.write(output))


def _axes(view: OpView, input_: Tensor, axis: Tensor) -> frozenset[int]:
    rank = len(input_.shape)
    axes = view.constant(axis).ravel().tolist()
    for value in axes:
        if not -rank <= value < rank:
            raise view.fail(f"{named(axis)} holds axis {value}; allowed: {-rank} to {rank - 1}")
    return frozenset(a % rank for a in axes)


def _mean_multiplier(view: OpView, input_: Tensor, output: Tensor, count: int) -> tuple[int, int]:
    """Fold 1 / count into the factor as QuantizedMeanOrSum does: an integer division, truncated."""
    real = float(view.quantization(input_)[0]) / float(view.quantization(output)[0])
    multiplier(view, real, "input and output")
    value, shift = quantize_multiplier(real)
    moved = min(count.bit_length() - 1, 32, 31 + shift)
    return (value << moved) // count, shift - moved


def _runs(view: OpView, shape: tuple[int, ...], axes: frozenset[int]) -> dict[str, int]:
    """Merge neighbouring dimensions of one fate; return sizes and strides, outermost first."""
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
    for name, wanted in (("kept", False), ("summed", True)):
        found = [(size, step) for summed, size, step in reversed(runs) if summed == wanted]
        if len(found) > _MAX_RUNS:
            raise view.fail(f"keeps and sums {len(shape)} dimensions in turn; at most 6")
        found = [(1, 0)] * (_MAX_RUNS - len(found)) + found
        fields[name] = tuple(size for size, _ in found)
        fields[f"{name}_stride"] = tuple(step for _, step in found)
    return fields
