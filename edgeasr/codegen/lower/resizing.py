"""RESIZE_NEAREST_NEIGHBOR, and RESIZE_BILINEAR on int8: where each element comes from."""

import math

import numpy as np

from edgeasr.codegen.call import Array, KernelCall, Struct
from edgeasr.codegen.lower.copying import MOVED
from edgeasr.codegen.lower.view import OpView, call, named
from edgeasr.graph import DTYPE_BYTES, Tensor

_ONE = 1 << 10
_MOST = 1 << 15


def resize_nearest_neighbor(view: OpView) -> KernelCall:
    input_, output = _tensors(view, MOVED)
    batches, height, width, channels = input_.shape
    unit = channels * DTYPE_BYTES[input_.dtype]
    fields = {
        "batches": batches,
        "batch_bytes": height * width * unit,
        "height": output.shape[1],
        "width": output.shape[2],
        "bytes": unit,
        "row": _nearest(view, "row", height, output.shape[1], width * unit),
        "column": _nearest(view, "column", width, output.shape[2], unit),
    }
    params = Struct("params", "ear_resize_nearest_t", fields)
    return call("ear_resize_nearest", params, view.read(input_), view.write(output, as_type="void"))


def resize_bilinear(view: OpView) -> KernelCall:
    input_, output = _tensors(view, ("int8",))
    batches, height, width, channels = input_.shape
    fields = {
        "batches": batches,
        "batch_elements": height * width * channels,
        "height": output.shape[1],
        "width": output.shape[2],
        "channels": channels,
        "row": _between(view, "row", height, output.shape[1], width * channels),
        "column": _between(view, "column", width, output.shape[2], channels),
    }
    params = Struct("params", "ear_resize_bilinear_t", fields)
    return call("ear_resize_bilinear_s8", params, view.read(input_), view.write(output))


def _tensors(view: OpView, dtypes: tuple[str, ...]) -> tuple[Tensor, Tensor]:
    view.arity(2, 2)
    input_ = view.input(0, *dtypes)
    output = view.output(input_.dtype)
    size = view.input(1, "int32")
    view.rank(input_, 4)
    view.shape(size, (2,))
    height, width = view.constant(size).tolist()
    view.shape(output, (input_.shape[0], height, width, input_.shape[3]))
    if max(*input_.shape, *output.shape) > _MOST:
        raise view.fail(f"{named(output)} {list(output.shape)} is too large; {_MOST:,} each")
    if view.boolean("align_corners") and view.boolean("half_pixel_centers"):
        raise view.fail("align_corners and half_pixel_centers exclude each other")
    return input_, output


def _nearest(view: OpView, name: str, size: int, wanted: int, stride: int) -> Array:
    """Return the offset of each row or column, as GetNearestNeighbor finds it, in float32."""
    corners, centers = view.boolean("align_corners"), view.boolean("half_pixel_centers")
    single = np.float32
    scale = single(size) / single(wanted)
    if corners and wanted > 1:
        scale = single(size - 1) / single(wanted - 1)
    places = (np.arange(wanted, dtype=np.float32) + single(0.5 if centers else 0)) * scale
    found = np.floor(places.astype(float) + (0.5 if corners else 0))
    indices = np.clip(found.astype(np.int64), 0, size - 1)
    return Array(name, "int32_t", (indices * stride).astype(np.int32))


def _between(view: OpView, name: str, size: int, wanted: int, stride: int) -> Array:
    """Return two offsets and a distance of each row or column, in TFLite's integer arithmetic."""
    corners, centers = view.boolean("align_corners"), view.boolean("half_pixel_centers")
    scale = (_ONE * size + wanted // 2) // wanted
    if corners and wanted > 1:
        scale = (_ONE * (size - 1) + (wanted - 1) // 2) // (wanted - 1)
    rows = []
    for i in range(wanted):
        place = i * scale + (scale // 2 - (_ONE >> 1) if centers else 0)
        first = max(math.trunc(place / _ONE), 0)
        second = min(math.trunc((place + _ONE - 1) / _ONE), size - 1)
        if first >= size:
            raise view.fail(f"resizing {size} to {wanted} would read beyond the input")
        rows.append((first * stride, second * stride, place - _ONE * first))
    return Array(name, "int32_t", np.array(rows, np.int32))
