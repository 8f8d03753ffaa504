"""Arithmetic where TFLite-Micro stops or C leaves the result open: defined here, or refused."""

import numpy as np
import pytest

from edgeasr.codegen.lower import lower
from edgeasr.errors import InputError
from tests.vectors.kernels.building import Case, Make
from tests.vectors.kernels.oracle import expected
from tests.vectors.kernels.test_kernels import ours

_LOW, _HIGH = -(1 << 31), (1 << 31) - 1
_PLAIN = {"fused_activation_function": "NONE"}


def _binary(
    kind: str, dtype: str, one: list[int], other: list[int], options: dict, *, hold: bool = False,
    scale: float | None = None,
) -> Case:  # fmt: skip
    """Both inputs given; the second one is a constant if `hold`."""
    make = Make(np.random.default_rng(0))
    values = [np.array(v, dtype) for v in (one, other)]
    make.feed(values[0].shape, dtype, scale)
    if hold:
        make.hold(values[1], scale)
    else:
        make.feed(values[1].shape, dtype, scale)
    make.result(values[0].shape, "bool" if kind == "LESS" else dtype, scale)
    case = make.case("x", kind, options)
    return Case(case.name, case.graph, tuple(values[: 1 if hold else 2]))


def test_int32_division_is_that_of_the_cortex_m() -> None:
    one, other = [7, -7, 5, _LOW, _LOW, 0], [2, 2, 0, -1, 1, 0]

    got = ours(_binary("DIV", "int32", one, other, _PLAIN))[0][0]

    assert got.tolist() == [3, -3, 0, _LOW, _LOW, 0]


def test_int8_division_by_zero_gives_zero() -> None:
    got = ours(_binary("DIV", "int8", [-128, 0, 127, 100], [0, 0, 0, 2], _PLAIN, scale=1.0))[0][0]

    assert got.tolist() == [0, 0, 0, 50]


@pytest.mark.parametrize("scale", [0.02, 0.01, 0.001])
def test_every_quotient_of_int8_is_that_of_tflite_micro(scale: float) -> None:
    """At smaller factors TFLite-Micro shifts by more than 31 bits, which C leaves open."""
    one, other = (g.ravel().astype(np.int8) for g in np.mgrid[-128:128, -128:128])
    divisible = other != 3
    make = Make(np.random.default_rng(0))
    make.hold(one[divisible], 0.1, -7)
    make.hold(other[divisible], 0.05, 3)
    make.result((int(divisible.sum()),), "int8", scale, 5)
    case = make.case("x", "DIV", _PLAIN)

    assert np.array_equal(ours(case)[0][0], expected(case)[0][0])


@pytest.mark.parametrize("dtype", ["int8", "int32"])
def test_a_constant_divisor_of_zero_is_refused(dtype: str) -> None:
    scale = 0.5 if dtype == "int8" else None
    case = _binary("DIV", dtype, [1, 2], [3, 0], _PLAIN, hold=True, scale=scale)

    with pytest.raises(InputError, match=r'operator #0 DIV: tensor "t1" holds 0.* must not'):
        lower(case.graph, case.op)


def test_sums_and_products_of_int32_wrap() -> None:
    one, other = [_HIGH, _LOW, 1 << 30], [1, -1, 4]

    sums = ours(_binary("ADD", "int32", one, other, _PLAIN))[0][0]
    products = ours(_binary("MUL", "int32", one, other, _PLAIN))[0][0]

    assert sums.tolist() == [_LOW, _HIGH, (1 << 30) + 4]
    assert products.tolist() == [_HIGH, _LOW, 0]


@pytest.mark.parametrize(
    ("dtype", "wanted"),
    [
        ("int8", [-1, 0, 0, 1, -2, 44]),
        ("int32", [_HIGH, _LOW, 0, 1, -2, 300]),
        ("uint32", [(1 << 32) - 1, 0, 0, 1, 0, 300]),
    ],
)
def test_floats_beyond_the_integer_saturate_at_32_bits(dtype: str, wanted: list[int]) -> None:
    make = Make(np.random.default_rng(0))
    values = np.array([3e38, -np.inf, np.nan, 1.9, -2.9, 300.7], np.float32)
    make.feed(values.shape, "float32")
    make.result(values.shape, dtype)
    case = make.case("x", "CAST", {})

    got = ours(Case("x", case.graph, (values,)))[0][0]

    assert got.tolist() == wanted


@pytest.mark.parametrize(
    ("kind", "dtype", "scale", "says"),
    [
        ("LESS", "int16", 0.1, "is int16; supported: int8, int32, int64"),
        ("LESS", "bool", None, "is bool; supported: int8, int32, int64"),
        ("LESS", "int8", 1.5, r"factor 1.5; it must be in \(0, 1\)"),
        ("MAXIMUM", "float32", None, "quantize the model first"),
        ("DIV", "int16", 0.1, "is int16; supported: int8"),
        ("DIV", "int8", 1e-8, r"factor 1e\+08; it must be below 2\^22"),
        ("LOGICAL_AND", "int8", 0.1, "is int8; supported: bool"),
        ("ADD_N", "int32", None, "is int32; supported: int8"),
        ("SQUARED_DIFFERENCE", "uint8", 0.1, "is uint8; supported: int8, int16, int32"),
    ],
)
def test_what_tflite_micro_has_no_kernel_for_is_refused(
    kind: str, dtype: str, scale: float | None, says: str
) -> None:
    case = _binary(kind, dtype, [1, 0], [1, 1], _PLAIN, scale=scale)

    with pytest.raises(InputError, match=says) as refusal:
        lower(case.graph, case.op)

    assert str(refusal.value).startswith(f"operator #0 {kind}: ")


def test_shapes_that_do_not_broadcast_are_refused() -> None:
    case = _binary("MINIMUM", "int32", [1, 2, 3], [1, 2], {})

    with pytest.raises(InputError, match=r"shapes \[3\] and \[2\] do not broadcast"):
        lower(case.graph, case.op)
