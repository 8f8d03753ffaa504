"""TFLite-Micro's signal operators without memory: window, FFT, energy, bands, gain, logarithm.

Options are those of the operator's FlexBuffer. TFLite-Micro reads them by their place in it, so
that a buffer with other names than these is refused.
"""

import numpy as np

from edgeasr.codegen.call import Array, KernelCall, Struct
from edgeasr.codegen.lower.view import OpView, call, named
from edgeasr.features import fft
from edgeasr.graph import Tensor

_MAX_FFT = 1 << 15
_GAINS = 125
# What the option T calls the types of tensors, as the schema numbers them.
_TYPES = {0: "float32", 2: "int32", 7: "int16"}


def window(view: OpView) -> KernelCall:
    view.arity(2, 2)
    options(view, "shift")
    input_, weights = view.input(0, "int16"), view.input(1, "int16")
    output = view.output("int16")
    length = vector(view, weights)
    if not input_.shape or input_.elements % length:
        raise view.fail(
            f"{named(input_)} has shape {list(input_.shape)}, which is no multiple of the "
            f"{length} weights"
        )
    view.shape(output, input_.shape)
    params = Struct(
        "params",
        "ear_signal_window_t",
        {
            "rows": input_.elements // length,
            "length": length,
            "shift": view.integer("shift", 0, 31),
        },
    )
    return call(
        "ear_signal_window_s16",
        params,
        view.read(input_),
        view.read(weights, "weights"),
        view.write(output),
    )


def fft_auto_scale(view: OpView) -> KernelCall:
    view.arity(1, 1, 2)
    input_ = view.input(0, "int16")
    output, shift = view.output("int16"), view.output("int32", position=1)
    count = vector(view, input_)
    view.shape(output, (count,))
    view.shape(shift, ())
    params = Struct("params", "ear_signal_auto_scale_t", {"count": count})
    return call(
        "ear_signal_auto_scale_s16",
        params,
        view.read(input_),
        view.write(output),
        view.write(shift),
    )


def rfft(view: OpView) -> KernelCall:
    view.arity(1, 1)
    dtype, points = _kind_of_fft(view)
    input_, output = view.input(0, dtype), view.output(dtype)
    length = _last(view, input_)
    if length > 2 * points:
        raise view.fail(f"{named(input_)} has rows of {length}; option fft_length is {2 * points}")
    view.shape(output, (*input_.shape[:-1], 2 * points + 2))
    wide = dtype == "int32"
    return call(
        f"ear_signal_rfft_{'s32' if wide else 's16'}",
        _rows_of(input_, length),
        _tables(points, wide),
        view.read(input_),
        view.write(output, as_type="" if wide else "uint32_t"),
    )


def irfft(view: OpView) -> KernelCall:
    view.arity(1, 1)
    dtype, points = _kind_of_fft(view)
    input_, output = view.input(0, dtype), view.output(dtype)
    length = _last(view, input_)
    if length != 2 * points + 2:
        raise view.fail(
            f"{named(input_)} has rows of {length}; option fft_length of {2 * points} makes it "
            f"{2 * points + 2}"
        )
    view.shape(output, (*input_.shape[:-1], 2 * points))
    wide = dtype == "int32"
    return call(
        f"ear_signal_irfft_{'s32' if wide else 's16'}",
        _rows_of(input_, 2 * points),
        _tables(points, wide),
        view.read(input_, as_type="" if wide else "uint32_t"),
        view.write(output, as_type="" if wide else "uint32_t"),
    )


def _kind_of_fft(view: OpView) -> tuple[str, int]:
    """Return the type of the transform and half its length, which must be a power of two."""
    options(view, "T", "fft_length")
    number = view.integer("T", 0, 255)
    dtype = _TYPES.get(number, f"type {number} of the schema")
    if dtype not in ("int16", "int32"):
        hint = "; quantize the model first" if "float" in dtype else ""
        raise view.fail(f"option T is {dtype}; supported: int16, int32{hint}")
    length = view.integer("fft_length", 16, _MAX_FFT)
    if length & (length - 1):
        raise view.fail(f"option fft_length is {length}; it must be a power of two")
    return dtype, length // 2


def _rows_of(tensor: Tensor, length: int) -> Struct:
    rows = tensor.elements // tensor.shape[-1]
    return Struct("params", "ear_signal_fft_t", {"rows": rows, "length": length})


def _tables(points: int, wide: bool) -> Struct:
    tables = fft.kiss32_tables(points) if wide else fft.int16_tables(points)
    fields = {
        name: value if isinstance(value, int) else Array(name, f"{value.dtype.name}_t", value)
        for name, value in tables.fields.items()
    }
    return Struct("fft", tables.c_type, fields)


def energy(view: OpView) -> KernelCall:
    view.arity(1, 1)
    options(view, "end_index", "start_index")
    input_, output = view.input(0, "int16"), view.output("uint32")
    numbers, bins = vector(view, input_), vector(view, output)
    if numbers % 2:
        raise view.fail(f"{named(input_)} has {numbers} elements; complex numbers need two each")
    end = view.integer("end_index", 0, min(numbers // 2, bins))
    params = Struct(
        "params",
        "ear_signal_energy_t",
        {"start": view.integer("start_index", 0, end), "end": end, "bins": bins},
    )
    return call(
        "ear_signal_energy_s16",
        params,
        view.read(input_, as_type="uint32_t"),
        view.write(output),
    )


def filter_bank(view: OpView) -> KernelCall:
    view.arity(6, 6)
    options(view, "num_channels")
    input_ = view.input(0, "uint32")
    weights, unweights = view.input(1, "int16"), view.input(2, "int16")
    output = view.output("uint64")
    channels = vector(view, output)
    view.integer("num_channels", channels, channels)
    bins, reach = vector(view, input_), min(vector(view, weights), vector(view, unweights))
    names = ("bin_starts", "weight_starts", "widths")
    bin_starts, weight_starts, widths = (
        _table(view, position, channels + 1) for position in (3, 4, 5)
    )
    tables = (
        _inside(view, "bins", bin_starts, widths, bins),
        _inside(view, "weights", weight_starts, widths, reach),
        widths,
    )
    fields = {n: Array(n, "int16_t", t) for n, t in zip(names, tables, strict=True)}
    params = Struct("params", "ear_signal_filter_bank_t", {"channels": channels, **fields})
    return call(
        "ear_signal_filter_bank_u32",
        params,
        view.read(input_),
        view.read(weights, "weights"),
        view.read(unweights, "unweights"),
        view.write(output),
    )


def _table(view: OpView, position: int, length: int) -> np.ndarray:
    tensor = view.input(position, "int16")
    if vector(view, tensor) < length:
        raise view.fail(f"{named(tensor)} has {tensor.elements} elements; it needs {length}")
    return view.constant(tensor)[:length].astype(np.int16)


def _inside(
    view: OpView, what: str, starts: np.ndarray, widths: np.ndarray, count: int
) -> np.ndarray:
    """Return the starts of bands that must lie inside; those of empty bands become 0."""
    starts = np.where(widths > 0, starts, 0).astype(np.int16)
    ends = starts.astype(int) + widths
    wrong = np.flatnonzero((starts < 0) | (ends > count))
    if len(wrong):
        band = int(wrong[0])
        raise view.fail(
            f"band {band} reaches over {what} {starts[band]} to {ends[band] - 1}; there are {count}"
        )
    return starts


def filter_bank_square_root(view: OpView) -> KernelCall:
    view.arity(2, 2)
    input_, shift, output = view.input(0, "uint64"), view.input(1, "int32"), view.output("uint32")
    channels = vector(view, input_)
    view.shape(shift, ())
    view.shape(output, (channels,))
    params = Struct("params", "ear_signal_square_root_t", {"channels": channels})
    return call(
        "ear_signal_square_root_u64",
        params,
        view.read(input_),
        view.read(shift, "shift"),
        view.write(output),
    )


def pcan(view: OpView) -> KernelCall:
    view.arity(3, 3)
    options(view, "snr_shift")
    input_, noise = view.input(0, "uint32"), view.input(1, "uint32")
    gains, output = view.input(2, "int16"), view.output("uint32")
    channels = vector(view, input_)
    view.shape(noise, (channels,))
    view.shape(output, (channels,))
    if vector(view, gains) < _GAINS:
        raise view.fail(f"{named(gains)} has {gains.elements} elements; it needs {_GAINS}")
    params = Struct(
        "params",
        "ear_signal_pcan_t",
        {"channels": channels, "snr_shift": view.integer("snr_shift", 0, 63)},
    )
    return call(
        "ear_signal_pcan_u32",
        params,
        view.read(input_),
        view.read(noise, "noise"),
        view.read(gains, "gains"),
        view.write(output),
    )


def filter_bank_log(view: OpView) -> KernelCall:
    view.arity(1, 1)
    options(view, "input_correction_bits", "output_scale")
    input_, output = view.input(0, "uint32"), view.output("int16")
    channels = vector(view, input_)
    view.shape(output, (channels,))
    params = Struct(
        "params",
        "ear_signal_log_t",
        {
            "log2_bend": Array("log2_bend", "uint16_t", fft.log2_bend()),
            "channels": channels,
            "correction_bits": view.integer("input_correction_bits", 0, 31),
            "scale": view.integer("output_scale", 0, (1 << 31) - 1),
        },
    )
    return call("ear_signal_log_u32", params, view.read(input_), view.write(output))


def options(view: OpView, *names: str) -> None:
    """Require exactly these options, sorted as they lie in the FlexBuffer."""
    if sorted(view.op.options) != list(names):
        raise view.fail(
            f"has the options {', '.join(sorted(view.op.options)) or 'none'}; it takes "
            f"{', '.join(names)}"
        )


def vector(view: OpView, tensor: Tensor) -> int:
    """Return the length of a tensor that must have one dimension."""
    return view.rank(tensor, 1)[0]


def _last(view: OpView, tensor: Tensor) -> int:
    if not tensor.shape:
        raise view.fail(f"{named(tensor)} is a scalar; it needs a dimension at least")
    return tensor.shape[-1]
