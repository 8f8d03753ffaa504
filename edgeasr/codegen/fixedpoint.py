"""gemmlowp's fixed-point arithmetic on Python integers, as TFLite-Micro computes it at run time.

Tables of functions (exp, logistic, tanh) are made here at export, so that the firmware holds no
such code. Raw values are signed 32-bit integers; "Qm.n" has m integer and n fractional bits.
Source: gemmlowp fixedpoint/fixedpoint.h, TFLite quantization_util.cc.
"""

import math

INT32_MAX = (1 << 31) - 1
INT32_MIN = -(1 << 31)
# The largest left shift that the kernels take: beyond it TFLite-Micro is undefined.
MAX_SHIFT = 30

# exp_on_negative_values multiplies by e^(-2^k) for each bit of its argument, from -1/4 up.
_EXP_FACTORS = {
    -2: 1672461947, -1: 1302514674, 0: 790015084, 1: 290630308, 2: 39332535, 3: 720401, 4: 242,
}  # fmt: skip


def wrap(x: int) -> int:
    """Return x as a signed 32-bit integer, dropping higher bits."""
    return (x + (1 << 31)) % (1 << 32) - (1 << 31)


def saturate(x: int) -> int:
    """Return the signed 32-bit integer nearest to x."""
    return min(max(x, INT32_MIN), INT32_MAX)


def multiply_high(a: int, b: int) -> int:
    """Return a * b / 2^31 rounded half up (SaturatingRoundingDoublingHighMul)."""
    return saturate((a * b + (1 << 30)) >> 31)


def divide_by_power(x: int, exponent: int) -> int:
    """Return x / 2^exponent rounded half away from zero (RoundingDivideByPOT)."""
    half = (1 << exponent) >> 1
    return (x + half) >> exponent if x >= 0 else -((half - x) >> exponent)


def quantize_multiplier(real: float) -> tuple[int, int]:
    """Split a positive factor into (multiplier, shift): real = multiplier * 2^(shift - 31).

    2^30 <= multiplier < 2^31; factors below 2^-32 become (0, 0). TFLite's QuantizeMultiplier.
    """
    if real == 0.0:
        return 0, 0
    fraction, shift = math.frexp(real)
    multiplier = math.floor(abs(fraction) * (1 << 31) + 0.5)
    if multiplier == 1 << 31:
        multiplier //= 2
        shift += 1
    if shift < -31:
        return 0, 0
    return (multiplier if real > 0 else -multiplier), shift


def scale(x: int, multiplier: int, shift: int) -> int:
    """Return x * multiplier * 2^(shift - 31) with two roundings (MultiplyByQuantizedMultiplier)."""
    left, right = max(shift, 0), max(-shift, 0)
    return divide_by_power(multiply_high(wrap(x << left), multiplier), right)


def input_radius(integer_bits: int, left_shift: int) -> int:
    """Return the largest |x| that x * 2^left_shift leaves in Q(integer_bits); above, saturate."""
    return math.floor(((1 << integer_bits) - 1) * (1 << (31 - integer_bits)) / (1 << left_shift))


def exp_of_negative(a: int, integer_bits: int) -> int:
    """Return e^a in Q0.31 for a <= 0 in Q(integer_bits).(31 - integer_bits)."""
    if a == 0:
        return INT32_MAX
    fraction_bits = 31 - integer_bits
    quarter = 1 << (fraction_bits - 2)
    low = (a & (quarter - 1)) - quarter
    result = _exp_near_zero(low << integer_bits)
    rest = low - a
    for exponent, factor in _EXP_FACTORS.items():
        if integer_bits > exponent and rest & (1 << (fraction_bits + exponent)):
            result = multiply_high(result, factor)
    return result


def _exp_near_zero(a: int) -> int:
    """e^a for a in [-1/4, 0), Q0.31: a Taylor series around -1/8."""
    constant = 1895147668  # e^(-1/8)
    third = 715827883
    x = a + (1 << 28)
    x2 = multiply_high(x, x)
    x3 = multiply_high(x2, x)
    x4 = multiply_high(x2, x2)
    series = multiply_high(divide_by_power(x4, 2) + x3, third) + x2
    return constant + multiply_high(constant, x + divide_by_power(series, 1))


def _reciprocal_of_half(a: int) -> int:
    """2 / (1 + a) in Q2.29 for a in [0, 1] as Q0.31: Newton's iteration."""
    half = (a + INT32_MAX + 1) // 2
    x = 1515870810 + multiply_high(half, -1010580540)  # 48/17 - 32/17 d
    for _ in range(3):
        error = (1 << 29) - multiply_high(half, x)
        x += saturate(multiply_high(x, error) << 2)
    return x


def logistic(a: int, integer_bits: int) -> int:
    """Return 1 / (1 + e^-a) in Q0.31."""
    if a == 0:
        return 1 << 30
    positive = saturate(_reciprocal_of_half(exp_of_negative(-abs(a), integer_bits)) << 1)
    return positive if a > 0 else INT32_MAX - positive


def tanh(a: int, integer_bits: int) -> int:
    """Return the hyperbolic tangent of a in Q0.31."""
    if a == 0:
        return 0
    # (1 - e) / (1 + e) = 2 / (1 + e) - 1 with e = exp(-2 |a|): one more integer bit doubles a.
    e = exp_of_negative(-abs(a), integer_bits + 1)
    negated = saturate((_reciprocal_of_half(e) - (1 << 29)) << 2)
    return negated if a > 0 else -negated


def inverse_sqrt(x: int) -> tuple[int, int]:
    """Return (multiplier, shift) of 1 / sqrt(x) for x >= 0, where 0 counts as 1.

    TFLite's GetInvSqrtQuantizedMultiplierExp with a left shift: five Newton steps in Q3.28.
    """
    if x <= 1:
        return INT32_MAX, 0
    right = 11
    while x >= 1 << 29:
        x, right = x // 4, right + 1
    pairs = (31 - x.bit_length()) // 2 - 1
    right -= pairs
    x <<= 2 * pairs
    half = divide_by_power(x >> 1, 1)
    root = 1 << 28
    for _ in range(5):
        cube = saturate(multiply_high(multiply_high(root, root), root) << 6)
        root = saturate((multiply_high(3 << 27, root) - multiply_high(half, cube)) << 3)
    root = multiply_high(root, 1518500250)  # sqrt(1/2)
    return (root << -right, 0) if right < 0 else (root, -right)
