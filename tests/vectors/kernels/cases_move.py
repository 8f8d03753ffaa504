"""Random single operations that move elements: slices, transpositions, joins, padding."""

from collections.abc import Callable, Mapping

import numpy as np

from tests.vectors.kernels.building import Make


def _moved(make: Make, shape: tuple[int, ...], *dtypes: str) -> str:
    """Feed a tensor of one of these types; return the type."""
    dtype = str(make.pick(*dtypes))
    make.feed(shape, dtype, *_quantized(make, dtype))
    return dtype


def _quantized(make: Make, dtype: str) -> tuple[object, int]:
    """Return a quantization: that of a tensor of the type if there is one; now and then none."""
    for tensor in make.tensors:
        if tensor.dtype == dtype:
            found = tensor.quantization
            return (found.scales, found.zero_point) if found else (None, 0)
    if dtype not in ("int8", "int16") or make.rng.random() < 0.1:
        return None, 0
    return make.scale(), make.point() if dtype == "int8" else 0


def _result(make: Make, shape: tuple[int, ...], dtype: str) -> None:
    make.result(shape, dtype, *_quantized(make, dtype))


def _shape(make: Make, least: int, most: int, size: int = 6) -> tuple[int, ...]:
    return tuple(make.size(size) for _ in range(make.rng.integers(least, most + 1)))


def _strided_slice(make: Make) -> tuple[str, dict]:
    shape = _shape(make, 1, 4, 9)
    dtype = _moved(make, shape, "int8", "int16", "int32", "float32", "bool")
    masks = {"begin_mask": 0, "end_mask": 0, "shrink_axis_mask": 0}
    numbers, sizes = [], []
    whole = make.rng.random() < 0.3
    for axis, size in enumerate(shape):
        if make.rng.random() < 0.15:
            masks["shrink_axis_mask"] |= 1 << axis
            numbers.append((int(make.rng.integers(-size, size)), int(make.pick(0, -1, 99)), 1))
            continue
        *given, masked, taken = _taken(make, size)
        if whole and axis:
            given, masked, taken = (0, size, 1), {"end_mask"}, size
        for name in masked:
            masks[name] |= 1 << axis
        numbers.append(given)
        sizes.append(taken)
    for column in zip(*numbers, strict=True):
        make.hold(np.array(column, np.int32))
    _result(make, tuple(sizes), dtype)
    return "STRIDED_SLICE", masks | {"ellipsis_mask": 0, "new_axis_mask": 0, "offset": False}


def _taken(make: Make, size: int) -> tuple[int, int, int, set[str], int]:
    """Return begin, end and stride of a dimension, their masks, and how many they take."""
    while True:
        begin, end = (int(n) for n in make.rng.integers(-size - 2, size + 3, 2))
        step = int(make.pick(1, 1, 1, 2, 3, -1, -2))
        masked = {name for name in ("begin_mask", "end_mask") if make.rng.random() < 0.3}
        wanted = slice(
            None if "begin_mask" in masked else begin, None if "end_mask" in masked else end, step
        )
        if count := len(range(*wanted.indices(size))):
            return begin, end, step, masked, count


def _slice(make: Make) -> tuple[str, dict]:
    shape = _shape(make, 1, 5)
    dtype = _moved(make, shape, "int8", "int16", "int32", "float32", "bool")
    begins = [int(make.pick(0, make.rng.integers(n))) for n in shape]
    sizes = [
        int(make.pick(n - b, make.rng.integers(1, n - b + 1)))
        for n, b in zip(shape, begins, strict=True)
    ]
    given = [
        -1 if b + s == n and make.rng.random() < 0.4 else s
        for n, b, s in zip(shape, begins, sizes, strict=True)
    ]
    kind = np.dtype(str(make.pick("int32", "int64")))
    make.hold(np.array(begins, kind))
    make.hold(np.array(given, kind))
    _result(make, tuple(sizes), dtype)
    return "SLICE", {}


def _split(make: Make) -> tuple[str, dict]:
    parts, (axis, shape) = int(make.rng.integers(1, 5)), _axis(make, 1, 4)
    part = shape[axis]
    make.hold(np.array(axis - make.pick(0, len(shape)), np.int32).reshape(make.pick((), (1,))))
    dtype = _moved(
        make, (*shape[:axis], part * parts, *shape[axis + 1 :]), "int8", "int16", "int32", "float32"
    )
    for _ in range(parts):
        _result(make, shape, dtype)
    return "SPLIT", {"num_splits": parts}


def _split_v(make: Make) -> tuple[str, dict]:
    axis, shape = _axis(make, 1, 4)
    sizes = [make.size(5) for _ in range(make.rng.integers(1, 6))]
    whole = (*shape[:axis], sum(sizes), *shape[axis + 1 :])
    dtype = _moved(make, whole, "int8", "int16", "int32", "float32")
    make.hold(np.array(sizes, np.int32))
    make.hold(np.array(axis - make.pick(0, len(shape)), np.int32))
    for size in sizes:
        _result(make, (*shape[:axis], size, *shape[axis + 1 :]), dtype)
    return "SPLIT_V", {"num_splits": len(sizes)}


def _unpack(make: Make) -> tuple[str, dict]:
    axis, shape = _axis(make, 1, 4, 5)
    dtype = _moved(make, shape, "int8", "int16", "int32", "float32")
    for _ in range(shape[axis]):
        _result(make, shape[:axis] + shape[axis + 1 :], dtype)
    return "UNPACK", {"num": shape[axis], "axis": axis - int(make.pick(0, len(shape)))}


def _pack(make: Make) -> tuple[str, dict]:
    shape, count = _shape(make, 0, 3), int(make.rng.integers(1, 6))
    axis = int(make.rng.integers(len(shape) + 1))
    dtype = str(make.pick("int8", "int16", "int32", "int64", "float32"))
    for number in range(count):
        if number and make.rng.random() < 0.3:
            make.hold(make.values(shape, dtype), *_quantized(make, dtype))
        else:
            make.feed(shape, dtype, *_quantized(make, dtype))
    _result(make, (*shape[:axis], count, *shape[axis:]), dtype)
    return "PACK", {"values_count": count, "axis": axis - int(make.pick(0, len(shape) + 1))}


def _axis(make: Make, least: int, most: int, size: int = 6) -> tuple[int, tuple[int, ...]]:
    """Return a shape and one of its axes."""
    shape = _shape(make, least, most, size)
    return int(make.rng.integers(len(shape))), shape


def _concatenation(make: Make) -> tuple[str, dict]:
    """Ten inputs are the most that TFLite-Micro takes; those of int16 may differ in scale."""
    dtype = str(make.pick("int8", "int16", "int32", "int64", "float32", "bool"))
    axis, shape = _axis(make, 1, 5, 4)
    sizes = [make.size(4) for _ in range(make.pick(1, 2, 3, 10))]
    for number, size in enumerate(sizes):
        part = (*shape[:axis], size, *shape[axis + 1 :])
        scale, point = _quantized(make, dtype)
        if dtype == "int16" and scale is not None:
            scale = scale * make.pick(1, 1, 2)
        if number and make.rng.random() < 0.4:
            make.hold(make.values(part, dtype), scale, point)
        else:
            make.feed(part, dtype, scale, point)
    _result(make, (*shape[:axis], sum(sizes), *shape[axis + 1 :]), dtype)
    axis -= int(make.pick(0, len(shape)))
    return "CONCATENATION", {"axis": axis, "fused_activation_function": "NONE"}


def _transpose(make: Make) -> tuple[str, dict]:
    shape = _shape(make, 1, 5, 7)
    order = make.rng.permutation(len(shape)).astype(np.int32)
    dtype = _moved(make, shape, "int8", "int16", "float32")
    make.hold(order)
    _result(make, tuple(shape[axis] for axis in order), dtype)
    return "TRANSPOSE", {}


def _reverse(make: Make) -> tuple[str, dict]:
    """TFLite-Micro takes neighbouring axes only."""
    axis, shape = _axis(make, 1, 4)
    axes = np.arange(axis, make.rng.integers(axis + 1, len(shape) + 1))
    dtype = _moved(make, shape, "int8", "uint8", "int16", "int32", "int64", "float32", "bool")
    make.hold((make.rng.permutation(axes) - make.pick(0, len(shape))).astype(np.int32))
    _result(make, shape, dtype)
    return "REVERSE_V2", {}


def _broadcast_to(make: Make) -> tuple[str, dict]:
    shape = _shape(make, 1, 5)
    given = tuple(1 if make.rng.random() < 0.4 else n for n in shape)
    given = given[make.rng.integers(len(given)) if make.rng.random() < 0.4 else 0 :]
    dtype = _moved(make, given, "int8", "int16", "int32", "float32")
    make.hold(np.array(shape, make.pick(np.int32, np.int64)))
    _result(make, shape, dtype)
    return "BROADCAST_TO", {}


def _blocks(kind: str) -> Callable[[Make], tuple[str, dict]]:
    def build(make: Make) -> tuple[str, dict]:
        batch, height, width, depth = _shape(make, 4, 4, 4)
        size = int(make.pick(1, 2, 3))
        small = (batch, height, width, depth * size * size)
        large = (batch, height * size, width * size, depth)
        given, made = (small, large) if kind == "DEPTH_TO_SPACE" else (large, small)
        _result(make, made, _moved(make, given, "int8", "float32"))
        return kind, {"block_size": size}

    return build


def _pad(kind: str) -> Callable[[Make], tuple[str, dict]]:
    def build(make: Make) -> tuple[str, dict]:
        shape = _shape(make, 1, 5)
        pads = make.rng.integers(0, 3, (len(shape), 2)).astype(np.int32)
        if make.rng.random() < 0.2:
            pads[:] = 0
        dtype = _moved(make, shape, "int8", "int16", "int32", "float32")
        make.hold(pads)
        if kind == "PADV2" and make.rng.random() < 0.5:
            make.hold(make.values((1,), dtype), *_quantized(make, dtype))
        elif kind == "PADV2":
            make.feed((), dtype, *_quantized(make, dtype))
        made = tuple(n + int(a) + int(b) for n, (a, b) in zip(shape, pads, strict=True))
        _result(make, made, dtype)
        return kind, {}

    return build


def _shape_of(make: Make) -> tuple[str, dict]:
    shape = _shape(make, 1, 5)
    _moved(make, shape, "int8", "float32")
    make.result((len(shape),), "int32")
    return "SHAPE", {"out_type": "INT32"}


def _mirror_pad(make: Make) -> tuple[str, dict]:
    mode = str(make.pick("REFLECT", "SYMMETRIC"))
    shape = _shape(make, 1, 4, 5)
    most = [n - (mode == "REFLECT") for n in shape]
    pads = np.array([make.rng.integers(0, min(n, 3) + 1, 2) for n in most])
    dtype = _moved(make, shape, "int8", "float32")
    make.hold(pads.astype(make.pick(np.int32, np.int64)))
    _result(make, tuple(n + int(sum(p)) for n, p in zip(shape, pads, strict=True)), dtype)
    return "MIRROR_PAD", {"mode": mode}


def _gather(make: Make) -> tuple[str, dict]:
    axis, shape = _axis(make, 1, 4)
    batch_dims = int(make.rng.integers(axis + 1)) if make.rng.random() < 0.3 else 0
    picked = (*shape[:batch_dims], *_shape(make, 0, 2, 4))
    dtype = _moved(make, shape, "int8", "float32")
    indices = make.rng.integers(0, shape[axis], picked, np.int32)
    if make.rng.random() < 0.3 and len(picked) == 1:
        step = int(make.pick(-1, 0, 1))
        indices = (np.arange(picked[0]) * step % shape[axis]).astype(np.int32)
    make.hold(np.asarray(indices))
    _result(make, (*shape[:axis], *picked[batch_dims:], *shape[axis + 1 :]), dtype)
    options = {"axis": axis - int(make.pick(0, len(shape))), "batch_dims": batch_dims}
    return "GATHER", options


def _gather_nd(make: Make) -> tuple[str, dict]:
    shape = _shape(make, 1, 4)
    depth = int(make.rng.integers(1, len(shape) + 1))
    picked = _shape(make, 0, 2, 4)
    dtype = _moved(make, shape, "int8", "float32")
    indices = [make.rng.integers(0, n, picked) for n in shape[:depth]]
    make.hold(np.stack(indices, axis=-1).astype(np.int32))
    _result(make, (*picked, *shape[depth:]), dtype)
    return "GATHER_ND", {}


def _select(make: Make) -> tuple[str, dict]:
    shape = _shape(make, 1, 4)
    dtype = str(make.pick("int8", "int16", "float32"))
    alike = make.rng.random() < 0.4
    for number, kind in enumerate(("bool", dtype, dtype)):
        given = tuple(1 if make.rng.random() < 0.3 and not alike else n for n in shape)
        if number == 0:
            given = shape
        elif not alike:
            given = given[make.rng.integers(len(given) + 1) if make.rng.random() < 0.3 else 0 :]
        make.feed(given, kind, *_quantized(make, kind))
    _result(make, shape, dtype)
    return "SELECT_V2", {}


def _update_slice(make: Make) -> tuple[str, dict]:
    """Start indices beyond either end count as the nearest that fits."""
    shape = _shape(make, 1, 4)
    sizes = tuple(int(make.pick(n, make.rng.integers(1, n + 1))) for n in shape)
    dtype = _moved(make, shape, "int8", "int16", "int32", "float32")
    make.feed(sizes, dtype, *_quantized(make, dtype))
    starts = [make.rng.integers(-2, n + 2) for n in shape]
    make.hold(np.array(starts, make.pick(np.int32, np.int64)))
    _result(make, shape, dtype)
    return "DYNAMIC_UPDATE_SLICE", {}


def _fill(make: Make) -> tuple[str, dict]:
    shape, dtype = _shape(make, 1, 4), str(make.pick("int8", "int32", "float32"))
    make.hold(np.array(shape, make.pick(np.int32, np.int64)))
    make.feed((), dtype, *_quantized(make, dtype))
    _result(make, shape, dtype)
    return "FILL", {}


def _zeros_like(make: Make) -> tuple[str, dict]:
    shape = _shape(make, 1, 4)
    _result(make, shape, _moved(make, shape, "int8", "int32", "int64", "float32"))
    return "ZEROS_LIKE", {}


def _batches(kind: str) -> Callable[[Make], tuple[str, dict]]:
    """Padding is left out: TFLite-Micro pads with what its memory held before."""

    def build(make: Make) -> tuple[str, dict]:
        dims = int(make.pick(1, 2))
        block = [int(make.pick(1, 2, 3)) for _ in range(dims)]
        batch, depth = make.size(3), make.size(5)
        small = [make.size(4) for _ in range(dims)]
        crops = np.zeros((dims, 2), np.int32)
        if kind == "BATCH_TO_SPACE_ND":
            for pair, n, size in zip(crops, small, block, strict=True):
                pair[0] = make.rng.integers(n * size)
                pair[1] = make.rng.integers(n * size - pair[0])
        many = (batch * int(np.prod(block)), *small, depth)
        space = [n * s - int(sum(c)) for n, s, c in zip(small, block, crops, strict=True)]
        whole = (batch, *space, depth)
        given, made = (many, whole) if kind == "BATCH_TO_SPACE_ND" else (whole, many)
        dtype = _moved(make, given, "int8", "float32")
        make.hold(np.array(block, np.int32))
        make.hold(crops)
        _result(make, made, dtype)
        return kind, {}

    return build


def _resize(kind: str) -> Callable[[Make], tuple[str, dict]]:
    def build(make: Make) -> tuple[str, dict]:
        batch, height, width, depth = _shape(make, 4, 4, 7)
        size = (make.size(15), make.size(15))
        types = ("int8", "int16", "float32") if kind == "RESIZE_NEAREST_NEIGHBOR" else ("int8",)
        dtype = _moved(make, (batch, height, width, depth), *types)
        make.hold(np.array(size, np.int32))
        _result(make, (batch, *size, depth), dtype)
        corners, centers = make.pick((False, False), (True, False), (False, True))
        return kind, {"align_corners": corners, "half_pixel_centers": centers}

    return build


def _circular_buffer(make: Make) -> tuple[str, dict]:
    slots, width, depth = int(make.pick(make.size(6), 5, 13)), make.size(4), make.size(6)
    make.invocations = 8
    scale, point = make.scale(), make.point()
    make.feed((1, 1, width, depth), "int8", scale, point)
    made = make.add((1, slots, width, depth), "int8", scale, point, is_variable=True)
    make.outputs.append(made)
    cycles = make.pick(0, 1) if slots in (5, 13) else 1
    return "CUSTOM:CIRCULAR_BUFFER", {"cycles_max": int(cycles)}


KINDS: Mapping[str, Callable[[Make], tuple[str, dict]]] = {
    "strided_slice": _strided_slice,
    "slice": _slice,
    "split": _split,
    "split_v": _split_v,
    "unpack": _unpack,
    "pack": _pack,
    "concatenation": _concatenation,
    "transpose": _transpose,
    "reverse": _reverse,
    "broadcast_to": _broadcast_to,
    "depth_to_space": _blocks("DEPTH_TO_SPACE"),
    "space_to_depth": _blocks("SPACE_TO_DEPTH"),
    "pad": _pad("PAD"),
    "padv2": _pad("PADV2"),
    "shape": _shape_of,
    "mirror_pad": _mirror_pad,
    "gather": _gather,
    "gather_nd": _gather_nd,
    "select": _select,
    "update_slice": _update_slice,
    "fill": _fill,
    "zeros_like": _zeros_like,
    "space_to_batch": _batches("SPACE_TO_BATCH_ND"),
    "batch_to_space": _batches("BATCH_TO_SPACE_ND"),
    "resize_nearest": _resize("RESIZE_NEAREST_NEIGHBOR"),
    "resize_bilinear": _resize("RESIZE_BILINEAR"),
    "circular_buffer": _circular_buffer,
}
