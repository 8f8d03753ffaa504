"""SVDF: filters that remember, on int8 with a state of int16 or int8."""

from dataclasses import replace

from edgeasr.codegen import extensions
from edgeasr.codegen.call import KernelCall, Struct
from edgeasr.codegen.lower.conv_mve import folded_bias
from edgeasr.codegen.lower.memory import kept
from edgeasr.codegen.lower.quantized import bias_of, check_accumulator, multiplier, weights_of
from edgeasr.codegen.lower.view import OpView, call
from edgeasr.codegen.lower.wide import SHORT, symmetric
from edgeasr.graph import Tensor


def svdf(view: OpView) -> KernelCall:
    """SVDF. Of fused activations TFLite-Micro computes none: the output's range stands for RELU."""
    view.arity(5, 5)
    input_, output = view.input(0, "int8"), view.output("int8")
    feature = view.input(1, "int8")
    time = view.input(2, "int16", "int8")
    state = view.input(4, time.dtype)
    view.choice("fused_activation_function", "NONE", "RELU")
    sizes = _svdf_sizes(view, input_, feature, time)
    units = sizes["filters"] // sizes["rank"]
    view.shape(output, (sizes["batches"], units))
    view.shape(state, (sizes["batches"], sizes["memory"] * sizes["filters"]))
    symmetric(view, time, state)
    bias = bias_of(view, 3, units)
    if bias is None:
        raise view.fail("the bias is left out; TFLite-Micro needs it")
    input_offset = -view.quantization(input_)[1]
    check_accumulator(view, view.constant(feature), input_offset)
    factors = _svdf_factors(view, input_, feature, time, state, output)
    params = Struct("params", "ear_svdf_t", {"input_offset": input_offset, **factors, **sizes})
    view.constant(time)
    weights = weights_of(view, feature, channel_axis=0)
    vectors = view.extension == extensions.MVE and time.dtype == "int16"
    starts = folded_bias(None, view.constant(feature), input_offset)
    made = call(
        f"ear_svdf_s8_{SHORT[time.dtype]}{'_mve' if vectors else ''}",
        params,
        view.read(input_),
        weights.struct,
        weights.scratch,
        *([replace(starts, name="starts")] if vectors else []),
        view.read(time, "time"),
        view.read(bias, "bias"),
        kept(view, state),
        view.write(output),
    )
    return weights.belong_to(made)


def _svdf_sizes(view: OpView, input_: Tensor, feature: Tensor, time: Tensor) -> dict[str, int]:
    batches, inputs = view.rank(input_, 2)
    filters, memory = view.rank(time, 2)
    view.shape(feature, (filters, inputs))
    rank = view.integer("rank")
    if filters % rank:
        raise view.fail(f"option rank is {rank}; it must divide the {filters} filters")
    return {
        "batches": batches, "inputs": inputs, "filters": filters, "memory": memory, "rank": rank,
    }  # fmt: skip


def _svdf_factors(
    view: OpView, input_: Tensor, feature: Tensor, time: Tensor, state: Tensor, output: Tensor
) -> dict[str, int]:
    """Return the two factors of ear_svdf_t.

    TFLite-Micro's source multiplies the scales in float32; as elsewhere, its reference build keeps
    double there, and its bits are what counts.
    """
    (scale_in, _), (scale_feature, point), (scale_time, time_point) = map(
        view.quantization, (input_, feature, time)
    )
    if point or time_point:
        raise view.fail(f"weights have zero points {point} and {time_point}; they must be 0")
    (scale_state, state_point), (scale_out, out_point) = map(view.quantization, (state, output))
    first = float(scale_in) * float(scale_feature) / float(scale_state)
    second = float(scale_state) * float(scale_time) / float(scale_out)
    feature_factor = multiplier(view, first, "input, weights and state")
    output_factor = multiplier(view, second, "state, weights and output")
    return {
        "feature_multiplier": feature_factor[0],
        "feature_shift": feature_factor[1],
        "state_zero_point": state_point,
        "output_multiplier": output_factor[0],
        "output_shift": output_factor[1],
        "output_offset": out_point,
    }
