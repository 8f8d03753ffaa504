"""AVERAGE_POOL_2D and MAX_POOL_2D on int8 or int16."""

from edgeasr.codegen import extensions
from edgeasr.codegen.call import KernelCall, Struct
from edgeasr.codegen.lower.convolution import axis_padding, dims
from edgeasr.codegen.lower.quantized import activation_range
from edgeasr.codegen.lower.view import OpView, call
from edgeasr.codegen.lower.wide import MAX_SUMMED, SHORT, symmetric
from edgeasr.graph import Tensor

# More values than this could overflow a 32-bit sum, with the zero point taken off.
_MAX_SUMMED = {"int8": 1 << 23, "int16": MAX_SUMMED}

# 255 * 128 fits int16.
_MAX_SUMMED_MVE = 255


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
    elements = min(taps_h, height) * min(taps_w, width)
    check_count(view, input_, elements)
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
        f"ear_{name}_{SHORT[input_.dtype]}{_suffix(view, name, input_, elements)}",
        params,
        dims("input_dims", input_.shape),
        view.read(input_),
        dims("output_dims", output.shape),
        view.write(output),
    )


def _suffix(view: OpView, name: str, input_: Tensor, elements: int) -> str:
    """Return how the name of the core's own kernel ends, or nothing where it has none."""
    if view.extension != extensions.MVE or input_.dtype != "int8":
        return ""
    return "_mve" if name == "max_pool" or elements <= _MAX_SUMMED_MVE else ""


def _check_same_scale(view: OpView, input_: Tensor, output: Tensor) -> None:
    """TFLite-Micro takes scales that differ by up to 1e-6 as one."""
    (scale_in, point_in), (scale_out, point_out) = map(view.quantization, (input_, output))
    if abs(scale_in - scale_out) > 1e-6 or point_in != point_out:
        view.same_quantization(input_, output)


def check_count(view: OpView, input_: Tensor, count: int) -> None:
    most = _MAX_SUMMED[input_.dtype]
    if count > most:
        raise view.fail(f"sums {count:,} elements of {input_.dtype} each; at most {most:,}")
