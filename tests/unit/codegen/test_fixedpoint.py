"""Fixed-point arithmetic: roundings at their edges, functions against floating point."""

import math

import pytest

from edgeasr.codegen import fixedpoint as fp


@pytest.mark.parametrize(
    ("x", "exponent", "expected"),
    [(5, 1, 3), (-5, 1, -3), (4, 3, 1), (-4, 3, -1), (3, 3, 0), (-3, 3, 0), (7, 0, 7),
     (fp.INT32_MAX, 31, 1), (-fp.INT32_MAX, 31, -1)],
)  # fmt: skip
def test_divide_by_power_rounds_half_away(x: int, exponent: int, expected: int) -> None:
    assert fp.divide_by_power(x, exponent) == expected


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [(1 << 30, 1 << 30, 1 << 29), (1, 1 << 30, 1), (-1, 1 << 30, 0), (-3, 1 << 30, -1),
     (fp.INT32_MIN, fp.INT32_MIN, fp.INT32_MAX)],
)  # fmt: skip
def test_multiply_high_rounds_half_up(a: int, b: int, expected: int) -> None:
    assert fp.multiply_high(a, b) == expected


@pytest.mark.parametrize(
    ("real", "expected"),
    [(1.0, (1 << 30, 1)), (0.5, (1 << 30, 0)), (0.75, (3 << 29, 0)), (0.0, (0, 0)),
     (2.0**-33, (0, 0)), (2.0**-32, (1 << 30, -31)), (1 - 2.0**-40, (1 << 30, 1)),
     (-0.5, (-(1 << 30), 0))],
)  # fmt: skip
def test_quantize_multiplier(real: float, expected: tuple[int, int]) -> None:
    assert fp.quantize_multiplier(real) == expected


def test_scale_wraps_before_it_multiplies() -> None:
    assert fp.scale(1 << 30, 1 << 30, 2) == 0
    assert fp.scale(1000, 1 << 30, 1) == 1000


@pytest.mark.parametrize("x", [-15.9, -8.0, -3.3, -1.0, -0.25, -1e-3, 0.0])
def test_exp(x: float) -> None:
    raw = round(x * (1 << 26))

    assert fp.exp_of_negative(raw, 5) / 2**31 == pytest.approx(math.exp(x), abs=1e-6)


@pytest.mark.parametrize("x", [-15.9, -4.0, -0.1, 0.0, 0.1, 1.0, 7.7, 15.9])
def test_logistic_and_tanh(x: float) -> None:
    raw = round(x * (1 << 27))

    assert fp.logistic(raw, 4) / 2**31 == pytest.approx(1 / (1 + math.exp(-x)), abs=1e-6)
    assert fp.tanh(raw, 4) / 2**31 == pytest.approx(math.tanh(x), abs=1e-6)
