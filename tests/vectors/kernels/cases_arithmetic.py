"""Random operations of integer arithmetic, extremes, comparisons, logic and CAST; as cases.py.

What TFLite-Micro stops at (divisors of 0, INT32_MIN / -1) and what C leaves open (floats beyond the
integer they are cast to) is for test_arithmetic.py.
"""

from collections.abc import Callable, Mapping

import numpy as np

from tests.vectors.kernels.building import FUSED, Make, pair

Build = Callable[[Make], tuple[str, dict]]
_MOST_DIMS = 5
_COMPARISONS = ("EQUAL", "NOT_EQUAL", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL")
_INTEGERS = ("int8", "int16", "int32", "uint32")


def _shapes(make: Make) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """As `pair`, and now and then with a pattern that changes in each of five dimensions."""
    if make.rng.random() < 0.8:
        return pair(make)
    full = [make.size(4) + 1 for _ in range(_MOST_DIMS)]
    start = int(make.rng.integers(2))
    one = tuple(n if i % 2 == start else 1 for i, n in enumerate(full))
    other = tuple(n if i % 2 != start else 1 for i, n in enumerate(full))
    return one, other, tuple(full)


def _operand(make: Make, shape: tuple[int, ...], values: np.ndarray, **quantized: object) -> None:
    """An input of the graph, or now and then a constant."""
    if make.rng.random() < 0.35:
        make.hold(values, **quantized)
    else:
        make.feed(shape, values.dtype.name, **quantized)


def _plain(kind: str, dtype: str = "int32") -> Build:
    """Numbers as they stand, also near each other."""

    def build(make: Make) -> tuple[str, dict]:
        one, other, result = _shapes(make)
        near = make.rng.random() < 0.5
        constant = make.rng.integers(3)  # the first input, the second, or none
        for position, shape in enumerate((one, other)):
            values = make.values(shape, dtype)
            if near and dtype != "bool":
                values = make.rng.integers(-9, 10, shape).astype(dtype)
            if position == constant:
                make.hold(values)
            else:
                make.feed(shape, dtype)
        compares = kind in _COMPARISONS or kind.startswith("LOGICAL")
        make.result(result, "bool" if compares else dtype)
        fused = kind in ("ADD", "SUB", "MUL")
        return kind, {"fused_activation_function": make.pick(*FUSED)} if fused else {}

    return build


def _div_s32(make: Make) -> tuple[str, dict]:
    one, other, result = _shapes(make)
    _operand(make, one, make.values(one, "int32"))
    reach = int(make.pick(3, 100, 1 << 20, (1 << 31) - 1))
    divisors = make.rng.integers(1, reach + 1, other) * make.rng.choice([-1, 1], other)
    make.hold(np.where(divisors == -1, 7, divisors).astype(np.int32))
    make.result(result, "int32")
    return "DIV", {"fused_activation_function": make.pick(*FUSED)}


def _div_s8(make: Make) -> tuple[str, dict]:
    """Factors of the scales that leave TFLite-Micro no shift beyond 31 bits."""
    one, other, result = _shapes(make)
    point2 = make.point()
    make.feed(one, "int8", scale := make.scale(-2, 1), make.point())
    values = make.values(other)
    make.hold(np.where(values == point2, values ^ 1, values).astype(np.int8), 0.05, point2)
    make.result(result, "int8", scale * np.float32(10 ** make.rng.uniform(-3.5, -1)), make.point())
    return "DIV", {"fused_activation_function": make.pick(*FUSED)}


def _squared_difference(dtype: str) -> Build:
    def build(make: Make) -> tuple[str, dict]:
        one, other, result = _shapes(make)
        points = [make.point() if dtype == "int8" else 0 for _ in range(3)]
        scales = [make.scale(-3, 0.5) for _ in range(2)]
        for shape, scale, point in zip((one, other), scales, points, strict=False):
            _operand(make, shape, make.values(shape, dtype), scale=scale, point=point)
        reach = np.iinfo(dtype).max * float(max(scales)) ** 2
        make.result(result, dtype, reach * float(make.pick(1, 1, 0.1, 10, 1e-3)), points[2])
        return "SQUARED_DIFFERENCE", {}

    return build


def _extreme(kind: str, dtype: str) -> Build:
    def build(make: Make) -> tuple[str, dict]:
        one, other, result = _shapes(make)
        quantized = {"scale": make.scale()} if dtype in ("int8", "int16") else {}
        for shape in (one, other):
            _operand(make, shape, make.values(shape, dtype), **quantized)
        make.result(result, dtype, **quantized)
        return kind, {}

    return build


def _quantized(kind: str, dtype: str) -> Build:
    """ADD, SUB and MUL with a constant on either side, on both, or on none."""

    def build(make: Make) -> tuple[str, dict]:
        one, other, result = _shapes(make)
        scales = [make.scale(-3, 0.5) for _ in range(2)]
        for shape, scale in zip((one, other), scales, strict=True):
            point = make.point() if dtype == "int8" else 0
            _operand(make, shape, make.values(shape, dtype), scale=scale, point=point)
        unit = float(scales[0]) * float(scales[1]) * 70 if kind == "MUL" else 1.5 * max(scales)
        scale = np.float32(unit * float(make.pick(1, 1, 0.1, 10)))
        make.result(result, dtype, scale, make.point() if dtype == "int8" else 0)
        return kind, {"fused_activation_function": make.pick(*FUSED)}

    return build


def _compare_s8(kind: str) -> Build:
    """Two scales, often one, so that many values are equal."""

    def build(make: Make) -> tuple[str, dict]:
        one, other, result = _shapes(make)
        scale, point = make.scale(-4, -0.1), make.point()
        same = make.rng.random() < 0.5
        _operand(make, one, make.values(one), scale=scale, point=point)
        if not same:
            scale, point = make.scale(-4, -0.1), make.point()
        _operand(make, other, make.values(other), scale=scale, point=point)
        make.result(result, "bool")
        return kind, {}

    return build


def _logical_not(make: Make) -> tuple[str, dict]:
    shape = (make.size(5), make.size(9))
    make.feed(shape, "bool")
    make.result(shape, "bool")
    return "LOGICAL_NOT", {}


def _add_n(make: Make) -> tuple[str, dict]:
    shape = tuple(make.size(6) for _ in range(make.rng.integers(1, 5)))
    count = int(make.rng.integers(2, 9))
    scale, point = make.scale(-3, 0), make.point()
    for _ in range(count):
        make.feed(shape, "int8", scale, point)
    make.result(shape, "int8", scale * count * np.float32(make.pick(1, 0.3, 3)), make.point())
    return "ADD_N", {}


def _cast(source: str, target: str) -> Build:
    def build(make: Make) -> tuple[str, dict]:
        shape = make.pick((1, 40), (300,), (2, 3), ())
        if source == "float32":
            # Small integers and halves of all signs, and fractions; no more than int8 holds.
            low = 0 if target == "uint32" else -128
            values = make.rng.uniform(low, 127, shape).astype(np.float32)
            make.hold(np.where(make.rng.random(shape) < 0.3, np.round(values * 2) / 2, values)
                      .astype(np.float32))  # fmt: skip
        else:
            make.feed(shape, source)
        make.result(shape, target)
        return "CAST", {"in_data_type": source.upper(), "out_data_type": target.upper()}

    return build


def _dequantize_u8(make: Make) -> tuple[str, dict]:
    shape = (make.size(5), make.size(90))
    make.feed(shape, "uint8", make.scale(), make.point("uint8"))
    make.result(shape, "float32")
    return "DEQUANTIZE", {}


def _pairs() -> Mapping[str, Build]:
    sources = (*_INTEGERS, "bool", "float32")
    targets = (*_INTEGERS, "float32")
    made = ((s, t) for s in sources for t in targets if s != "float32" or t != "float32")
    return {f"cast_{s}_{t}": _cast(s, t) for s, t in made}


KINDS: Mapping[str, Build] = {
    "add_s32": _plain("ADD"),
    "sub_s32": _plain("SUB"),
    "mul_s32": _plain("MUL"),
    "div_s32": _div_s32,
    "div_s8": _div_s8,
    "squared_difference_s8": _squared_difference("int8"),
    "squared_difference_s16": _squared_difference("int16"),
    "squared_difference_s32": _plain("SQUARED_DIFFERENCE"),
    "add_n": _add_n,
    "dequantize_u8": _dequantize_u8,
    "logical_and": _plain("LOGICAL_AND", "bool"),
    "logical_or": _plain("LOGICAL_OR", "bool"),
    "logical_not": _logical_not,
    "equal_bool": _plain("EQUAL", "bool"),
    "not_equal_bool": _plain("NOT_EQUAL", "bool"),
    **{f"{k.lower()}_s8": _compare_s8(k) for k in _COMPARISONS},
    **{f"{k.lower()}_s32": _plain(k) for k in _COMPARISONS},
    **{f"{k.lower()}_s64": _plain(k, "int64") for k in _COMPARISONS},
    **{
        f"{kind.lower()}_{dtype}": _extreme(kind, dtype)
        for kind in ("MINIMUM", "MAXIMUM")
        for dtype in ("int8", "int16", "int32", "int64")
    },
    **{
        f"{kind.lower()}_{dtype}_sides": _quantized(kind, dtype)
        for kind in ("ADD", "SUB", "MUL")
        for dtype in ("int8", "int16")
    },
    **_pairs(),
}
