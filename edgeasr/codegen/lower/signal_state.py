"""TFLite-Micro's signal operators that keep samples or estimates from one inference to the next."""

import numpy as np

from edgeasr.codegen.call import KernelCall, State, Struct
from edgeasr.codegen.lower.signal import options, vector
from edgeasr.codegen.lower.view import OpView, call, named
from edgeasr.graph import Tensor

_SHARE = (1 << 31) - 1
# More than a minute of sound at 16 kHz.
_MAX_SAMPLES = 1 << 20
_INT16 = 7


def spectral_subtraction(view: OpView) -> KernelCall:
    view.arity(1, 1, 2)
    options(
        view, "alternate_one_minus_smoothing", "alternate_smoothing", "clamping",
        "min_signal_remaining", "num_channels", "one_minus_smoothing", "smoothing",
        "smoothing_bits", "spectral_subtraction_bits",
    )  # fmt: skip
    input_ = view.input(0, "uint32")
    output, noise = view.output("uint32"), view.output("uint32", position=1)
    channels = vector(view, input_)
    for tensor in (output, noise):
        view.shape(tensor, (channels,))
    view.integer("num_channels", channels, channels)
    pairs = {
        name: tuple(view.integer(f"{which}{option}", 0, _SHARE) for which in ("", "alternate_"))
        for name, option in (("smoothing", "smoothing"), ("keeping", "one_minus_smoothing"))
    }
    params = Struct(
        "params",
        "ear_signal_noise_t",
        {
            "channels": channels,
            **pairs,
            "min_remaining": view.integer("min_signal_remaining", 0, _SHARE),
            "smoothing_bits": view.integer("smoothing_bits", 0, 31),
            "share_bits": view.integer("spectral_subtraction_bits", 0, 31),
            "clamping": int(view.boolean("clamping")),
        },
    )
    return call(
        "ear_signal_noise_u32",
        params,
        State("noise", "uint32_t", np.zeros(channels, np.uint32)),
        view.read(input_),
        view.write(output),
        view.write(noise),
    )


def delay(view: OpView) -> KernelCall:
    view.arity(1, 1)
    options(view, "delay_length")
    input_, output = view.input(0, "int16"), view.output("int16")
    view.shape(output, input_.shape)
    rows, length = _rows(view, input_)
    late = view.integer("delay_length", 0)
    params = Struct("params", "ear_signal_delay_t", {"rows": rows, "length": length, "delay": late})
    return call(
        "ear_signal_delay_s16",
        params,
        _samples(view, rows * late),
        view.read(input_),
        view.write(output),
    )


def framer(view: OpView) -> KernelCall:
    view.arity(1, 1, 2)
    options(view, "frame_size", "frame_step", "prefill")
    input_, output = view.input(0, "int16"), view.output("int16")
    valid = view.output("bool", position=1)
    rows, samples = _rows(view, input_)
    step, length = view.integer("frame_step"), view.integer("frame_size")
    prefill = view.boolean("prefill")
    if samples % step:
        raise view.fail(
            f"{named(input_)} has rows of {samples}, which is no multiple of option frame_step, "
            f"{step}"
        )
    if prefill and step > length:
        raise view.fail(f"option frame_step is {step}; with prefill at most frame_size, {length}")
    view.shape(output, (*input_.shape[:-1], samples // step, length))
    view.shape(valid, ())
    kept = length - step if prefill else (-(-length // step) - 1) * step
    params = Struct(
        "params",
        "ear_signal_framer_t",
        {"rows": rows, "frames": samples // step, "length": length, "step": step, "kept": kept},
    )
    return call(
        "ear_signal_framer_s16",
        params,
        _samples(view, rows * kept),
        State("held", "int32_t", np.array([kept if prefill else 0], np.int32)),
        view.read(input_),
        view.write(output),
        view.write(valid),
    )


def overlap_add(view: OpView) -> KernelCall:
    view.arity(1, 1)
    options(view, "T", "frame_step")
    view.integer("T", _INT16, _INT16)
    input_, output = view.input(0, "int16"), view.output("int16")
    if len(input_.shape) < 2:
        raise view.fail(f"{named(input_)} has shape {list(input_.shape)}; it needs 2 dimensions")
    frames, length = input_.shape[-2:]
    step = view.integer("frame_step", 1, length)
    view.shape(output, (*input_.shape[:-2], frames * step))
    rows = input_.elements // (frames * length)
    params = Struct(
        "params",
        "ear_signal_overlap_add_t",
        {"rows": rows, "frames": frames, "length": length, "step": step},
    )
    return call(
        "ear_signal_overlap_add_s16",
        params,
        _samples(view, rows * length),
        view.read(input_),
        view.write(output),
    )


def stacker(view: OpView) -> KernelCall:
    view.arity(1, 1, 2)
    options(view, "num_channels", "stacker_left_context", "stacker_right_context", "stacker_step")
    input_, output = view.input(0, "int16"), view.output("int16")
    valid = view.output("bool", position=1)
    channels = vector(view, input_)
    view.integer("num_channels", channels, channels)
    left = view.integer("stacker_left_context", 0)
    stacked = left + view.integer("stacker_right_context", 0) + 1
    view.shape(output, (stacked * channels,))
    view.shape(valid, ())
    params = Struct(
        "params",
        "ear_signal_stacker_t",
        {
            "channels": channels,
            "stacked": stacked,
            "left": left,
            "step": view.integer("stacker_step", 1, stacked),
        },
    )
    return call(
        "ear_signal_stacker_s16",
        params,
        _samples(view, stacked * channels),
        State("held", "int32_t", np.array([-1], np.int32)),
        view.read(input_),
        view.write(output),
        view.write(valid),
    )


def _rows(view: OpView, tensor: Tensor) -> tuple[int, int]:
    """Return the rows of a tensor and their length."""
    if not tensor.shape:
        raise view.fail(f"{named(tensor)} is a scalar; it needs a dimension at least")
    return tensor.elements // tensor.shape[-1], tensor.shape[-1]


def _samples(view: OpView, count: int) -> State:
    """Return memory of `count` samples, zero at the start."""
    if count > _MAX_SAMPLES:
        raise view.fail(f"keeps {count:,} samples; at most {_MAX_SAMPLES:,}")
    return State("samples", "int16_t", np.zeros(max(count, 1), np.int16))
