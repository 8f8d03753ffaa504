"""QUANTIZE and DEQUANTIZE: between float32 and integers, and between integers."""

from edgeasr.codegen.call import KernelCall, Struct
from edgeasr.codegen.fixedpoint import scale as rescale
from edgeasr.codegen.fixedpoint import wrap
from edgeasr.codegen.lower.quantized import multiplier
from edgeasr.codegen.lower.tables import lookup
from edgeasr.codegen.lower.view import OpView, call
from edgeasr.codegen.lower.wide import SHORT
from edgeasr.graph import Tensor

_PAIRS = (
    ("float32", "int8"), ("float32", "int16"), ("int8", "int8"), ("int8", "uint8"),
    ("uint8", "int8"), ("int8", "int16"), ("int16", "int8"), ("int16", "int16"),
    ("int8", "int32"), ("int16", "int32"), ("int32", "int8"), ("int32", "int16"),
)  # fmt: skip


def quantize(view: OpView) -> KernelCall:
    view.arity(1, 1)
    input_ = view.input(0, *dict.fromkeys(a for a, _ in _PAIRS))
    output = view.output(*dict.fromkeys(b for a, b in _PAIRS if a == input_.dtype))
    view.shape(output, input_.shape)
    if input_.dtype == "float32":
        return _float(view, f"ear_quantize_f32_{SHORT[output.dtype]}", input_, output, output)
    (scale_in, point_in), (scale_out, point_out) = map(view.quantization, (input_, output))
    factor, shift = multiplier(view, float(scale_in) / float(scale_out), "input and output")
    if {input_.dtype, output.dtype} <= {"int8", "uint8"}:
        return lookup(
            view, input_, output, lambda q: wrap(rescale(q - point_in, factor, shift) + point_out)
        )
    params = Struct(
        "params",
        "ear_rescale_t",
        {
            "input_offset": -point_in,
            "multiplier": factor,
            "shift": shift,
            "output_offset": point_out,
            "count": input_.elements,
        },
    )
    kernel = f"ear_rescale_{SHORT[input_.dtype]}_{SHORT[output.dtype]}"
    return call(kernel, params, view.read(input_), view.write(output))


def dequantize(view: OpView) -> KernelCall:
    view.arity(1, 1)
    input_, output = view.input(0, "int8", "int16", "uint8"), view.output("float32")
    view.shape(output, input_.shape)
    short = SHORT.get(input_.dtype, "u8")
    return _float(view, f"ear_dequantize_{short}_f32", input_, output, input_)


def _float(
    view: OpView, kernel: str, input_: Tensor, output: Tensor, quantized: Tensor
) -> KernelCall:
    scale, point = view.quantization(quantized)
    params = Struct(
        "params",
        "ear_quantize_t",
        {"scale": float(scale), "zero_point": point, "count": input_.elements},
    )
    return call(kernel, params, view.read(input_), view.write(output))
