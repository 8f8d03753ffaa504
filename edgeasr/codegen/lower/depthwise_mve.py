"""DEPTHWISE_CONV_2D on int8 by planes, for cores with MVE."""

from dataclasses import dataclass, replace

import numpy as np

from edgeasr.codegen.call import Array, KernelCall, Struct
from edgeasr.codegen.lower.convolution import Convolution
from edgeasr.codegen.lower.quantized import packed_weights
from edgeasr.codegen.lower.view import call

_VECTOR = 16
# Outputs of a step: of 16 adjacent bytes, and of a window of several runs.
_MOST_OF_RUN, _MOST_OF_WINDOW = 5, 3
_FARTHEST = 255
# Fewer outputs do not earn back what a channel costs.
_FEWEST_OUTPUTS = 12
_MOST_PLANE_BYTES = 2048
_MOST_SUMS = 256
_STEPS_PAST_LINE = 8


@dataclass(frozen=True)
class _Axis:
    input: int
    output: int
    filter: int
    stride: int
    pad: int

    def met(self) -> int:
        """Return the places that the filter meets, padding included."""
        return (self.output - 1) * self.stride + self.filter

    def read(self) -> int:
        """Return those that are of the input."""
        return min(self.input, self.met() - self.pad)


def depthwise_planes(layer: Convolution, scales: Struct) -> KernelCall | None:
    """Return the call, with scales for each channel, or None where it takes another kernel."""
    params, view = layer.params, layer.view
    (images, height, width, depth), (_, out_h, out_w, _) = layer.input.shape, layer.output.shape
    rows, columns = (_axis(layer, 1, "h"), _axis(layer, 2, "w"))
    values = layer.values[0].transpose(2, 0, 1)
    if width == columns.filter == 1:
        rows, columns, values = columns, rows, values.transpose(0, 2, 1)
    shifts = scales.fields["shifts"]
    assert isinstance(shifts, Array)
    dilated = any(params[f"dilation_{n}"] > 1 for n in "hw")
    if dilated or out_h * out_w < _FEWEST_OUTPUTS or shifts.values.max() > -1:
        return None
    found = [f for f in (_whole_rows(rows, columns), _padded_rows(rows, columns)) if f]
    if not found:
        return None
    best = max(found, key=lambda fields: fields["group"])
    if best["plane_bytes"] > _MOST_PLANE_BYTES or best["columns"] > _MOST_SUMS:
        return None
    fields = {
        "images": images,
        "channels": layer.channels,
        "depth_multiplier": params["depth_multiplier"],
        "input_zero_point": -params["input_offset"],
        **{name: params[name] for name in ("output_offset", "output_min", "output_max")},
        "positive": int(params["output_min"] >= params["output_offset"]),
        "input_image": height * width * depth,
        "input_line": columns.input,
        "taps": rows.filter * columns.filter,
        **best,
        **_bands(best),
    }
    weights = packed_weights(view, np.ascontiguousarray(values), 0)
    bytes_ = fields["plane_bytes"] + fields["sums_bytes"]
    made = call(
        "ear_depthwise_planes_s8_mve",
        Struct("params", "ear_planes_mve_t", fields),
        scales,
        view.read(layer.input),
        weights.struct,
        replace(weights.scratch, bytes=bytes_ + weights.scratch.bytes),
        Array("bias", "int32_t", _bias(layer)),
        view.write(layer.output),
    )
    if params["depth_multiplier"] == 1 and layer.input.elements == layer.output.elements:
        made = replace(made, overwrites=layer.input.index)
    return weights.belong_to(made)


def _axis(layer: Convolution, axis: int, name: str) -> _Axis:
    return _Axis(
        layer.input.shape[axis],
        layer.output.shape[axis],
        layer.filter.shape[axis],
        layer.params[f"stride_{name}"],
        layer.params[f"pad_{name}"],
    )


def _whole_rows(rows: _Axis, columns: _Axis) -> dict | None:
    """Return the fields for a step that makes a row of outputs, of whole rows of the input."""
    width = columns.input
    if rows.filter * width > _VECTOR or columns.output > _MOST_OF_RUN:
        return None
    lanes = np.full((_MOST_OF_RUN, _VECTOR), -1)
    for x in range(columns.output):
        for tap in range(columns.filter):
            column = x * columns.stride - columns.pad + tap
            if 0 <= column < width:
                of_rows = np.arange(rows.filter)
                lanes[x, of_rows * width + column] = of_rows * columns.filter + tap
    return {
        "runs": 1,
        "run": rows.read() * width,
        "plane_bytes": _words((rows.output - 1) * rows.stride * width + _VECTOR),
        "plane_line": 0,
        "inside": rows.pad * width,
        "lines": 1,
        "line": 0,
        "columns": rows.output * columns.output,
        "steps": rows.output,
        "step": rows.stride * width,
        "group": columns.output,
        "is_run": 1,
        "window": tuple(range(_VECTOR)),
        "lanes": tuple(lanes.ravel().tolist()),
    }


def _padded_rows(rows: _Axis, columns: _Axis) -> dict | None:
    """Return the fields for steps along rows, padded as the filter meets them."""
    is_run = rows.filter == 1
    group = min(columns.output, _MOST_OF_RUN if is_run else _MOST_OF_WINDOW)
    while group and rows.filter * _window_width(columns, group) > _VECTOR:
        group -= 1
    width, across = columns.met(), _window_width(columns, group)
    farthest = (rows.filter - 1) * width + across - 1
    if not group or farthest > _FARTHEST:
        return None
    window = np.zeros(_VECTOR, int)
    lanes = np.full((_MOST_OF_RUN, _VECTOR), -1)
    for row in range(rows.filter):
        window[row * across : (row + 1) * across] = row * width + np.arange(across)
        for x in range(group):
            at = row * across + x * columns.stride
            lanes[x, at : at + columns.filter] = row * columns.filter + np.arange(columns.filter)
    steps = -(-columns.output // group)
    step = group * columns.stride
    reach = (rows.output - 1) * rows.stride * width + (steps - 1) * step
    return {
        "runs": rows.read(),
        "run": columns.read(),
        "plane_bytes": _words(reach + (_VECTOR if is_run else farthest + 1)),
        "plane_line": width,
        "inside": rows.pad * width + columns.pad,
        "lines": rows.output,
        "line": rows.stride * width,
        "columns": columns.output,
        "steps": steps,
        "step": step,
        "group": group,
        "is_run": int(is_run),
        "window": tuple(window.tolist()),
        "lanes": tuple(lanes.ravel().tolist()),
    }


def _window_width(columns: _Axis, group: int) -> int:
    return columns.filter + (group - 1) * columns.stride


def _bands(fields: dict) -> dict[str, int]:
    """Return how many lines of outputs are made at once, and the bytes of their sums."""
    lines, columns = fields["lines"], fields["columns"]
    bands = -(-lines * columns // _MOST_SUMS)
    band = -(-lines // bands)
    return {"band": band, "sums_bytes": 4 * (band * columns + _STEPS_PAST_LINE)}


def _words(bytes_: int) -> int:
    return bytes_ + -bytes_ % 4


def _bias(layer: Convolution) -> np.ndarray:
    if layer.bias is None:
        return np.zeros(layer.channels, np.int32)
    return layer.view.constant(layer.bias).reshape(-1)
