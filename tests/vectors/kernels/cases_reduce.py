"""Random single operations that reduce int8 or int16 tensors along axes."""

from collections.abc import Callable, Mapping

import numpy as np

from tests.vectors.kernels.building import Make


def _given(make: Make, least: int = 1) -> tuple[tuple[int, ...], list[int]]:
    """Return a shape and some of its axes, in any order."""
    shape = tuple(make.size(9) for _ in range(make.rng.integers(least, 5)))
    count = make.rng.integers(1, len(shape) + 1)
    return shape, [int(a) for a in make.rng.choice(len(shape), count, replace=False)]


def _left(make: Make, shape: tuple[int, ...], axes: list[int]) -> tuple[tuple[int, ...], bool]:
    """Hold the axes, some of them negative or named twice; return the shape that is left."""
    keep = bool(make.rng.random() < 0.5)
    rank = len(shape)
    signed = [a - (rank if make.rng.random() < 0.3 else 0) for a in axes]
    if len(signed) < rank and make.rng.random() < 0.1:
        signed.append(axes[0])
    make.hold(np.array(signed, np.int32))
    return tuple(1 if i in axes else n for i, n in enumerate(shape) if keep or i not in axes), keep


def _sum(dtype: str) -> Callable[[Make], tuple[str, dict]]:
    def build(make: Make) -> tuple[str, dict]:
        shape, axes = _given(make)
        scale = make.scale(-4, 0)
        make.feed(shape, dtype, scale, make.point() if dtype == "int8" else 0)
        left, keep = _left(make, shape, axes)
        scale *= np.float32(make.pick(1, 10, 0.37, 2.5, 300))
        make.result(left, dtype, scale, make.point() if dtype == "int8" else 0)
        return "SUM", {"keep_dims": keep}

    return build


def _extreme(kind: str) -> Callable[[Make], tuple[str, dict]]:
    def build(make: Make) -> tuple[str, dict]:
        shape, axes = _given(make)
        scale, point = make.scale(), make.point()
        make.feed(shape, "int8", scale, point)
        left, keep = _left(make, shape, axes)
        make.result(left, "int8", scale, point)
        return kind, {"keep_dims": keep}

    return build


def _reduce_all(make: Make) -> tuple[str, dict]:
    shape, axes = _given(make)
    make.feed(shape, "bool")
    left, keep = _left(make, shape, axes)
    make.result(left, "bool")
    return "REDUCE_ALL", {"keep_dims": keep}


def _arg_extreme(kind: str) -> Callable[[Make], tuple[str, dict]]:
    def build(make: Make) -> tuple[str, dict]:
        shape, axes = _given(make)
        dtype = str(make.pick("int8", "int8", "float32"))
        make.feed(shape, dtype, *((0.1, 3) if dtype == "int8" else ()))
        axis = axes[0]
        make.hold(np.array(axis - make.pick(0, len(shape)), np.int32))
        make.result(shape[:axis] + shape[axis + 1 :], "int32")
        return kind, {"output_type": "INT32"}

    return build


def _cumsum(make: Make) -> tuple[str, dict]:
    """Along up to 60 elements: sums that wrap too."""
    shape, axes = _given(make)
    if make.rng.random() < 0.3:
        shape = (*shape[: axes[0]], int(make.rng.integers(10, 60)), *shape[axes[0] + 1 :])
    scale = make.scale(-3, 0)
    make.feed(shape, "int8", scale, make.point())
    make.hold(np.array([axes[0] - make.pick(0, len(shape))], np.int32))
    make.result(shape, "int8", scale * np.float32(make.pick(1, 3, 0.2, 20)), make.point())
    flags = {name: bool(make.rng.random() < 0.5) for name in ("exclusive", "reverse")}
    return "CUMSUM", flags


KINDS: Mapping[str, Callable[[Make], tuple[str, dict]]] = {
    "sum": _sum("int8"),
    "sum_s16": _sum("int16"),
    "reduce_max": _extreme("REDUCE_MAX"),
    "reduce_min": _extreme("REDUCE_MIN"),
    "reduce_all": _reduce_all,
    "arg_max": _arg_extreme("ARG_MAX"),
    "arg_min": _arg_extreme("ARG_MIN"),
    "cumsum": _cumsum,
}
