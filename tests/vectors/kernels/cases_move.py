"""Random single operations that move elements: slices, transpositions, joins, padding."""

from collections.abc import Callable, Mapping

import numpy as np

from tests.vectors.kernels.building import Make


def _moved(make: Make, shape: tuple[int, ...], *dtypes: str) -> str:
    """Feed a tensor of one of these types, quantized where it is an int8; return the type."""
    dtype = str(make.pick(*dtypes))
    make.feed(shape, dtype, *_quantized(dtype))
    return dtype


def _quantized(dtype: str) -> tuple[object, int]:
    return (0.1, 3) if dtype == "int8" else (0.1, 0) if dtype == "int16" else (None, 0)


def _result(make: Make, shape: tuple[int, ...], dtype: str) -> None:
    make.result(shape, dtype, *_quantized(dtype))


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


KINDS: Mapping[str, Callable[[Make], tuple[str, dict]]] = {
    "strided_slice": _strided_slice,
    "slice": _slice,
}
