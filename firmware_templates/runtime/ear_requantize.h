/* Fixed-point steps that kernels share, bit-exact with gemmlowp as TFLite-Micro uses it: a product
 * is rounded half up, a shift right is then rounded half away from zero (two roundings, not one).
 * Shifts right of negative numbers are arithmetic, as in every compiler that edgeasr supports. */
#ifndef EAR_REQUANTIZE_H
#define EAR_REQUANTIZE_H

#include "ear.h"

/* a + b, which wraps if it leaves int32, as sums do in the reference. */
static inline int32_t ear_wrapping_sum(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

/* a * b, all 64 bits of it. Armv6-M multiplies to 32 bits only, and its library multiplies two of 64
 * bits: this is half of that. */
static inline int64_t ear_long_product(int32_t a, int32_t b)
{
#if defined(__ARM_ARCH_6M__)
    const int32_t a_low = (int32_t)((uint32_t)a & 0xFFFFu);
    const int32_t b_low = (int32_t)((uint32_t)b & 0xFFFFu);
    const uint32_t low = (uint32_t)a_low * (uint32_t)b_low;
    const int32_t one = (a >> 16) * b_low + (int32_t)(low >> 16);
    const int32_t other = a_low * (b >> 16) + (int32_t)((uint32_t)one & 0xFFFFu);
    const int32_t high = (a >> 16) * (b >> 16) + (one >> 16) + (other >> 16);
    return (int64_t)((uint64_t)(uint32_t)high << 32 | (uint32_t)other << 16 | (low & 0xFFFFu));
#else
    return (int64_t)a * b;
#endif
}

/* a * b / 2^31, rounded half up; not both INT32_MIN. */
static inline int32_t ear_multiply_high(int32_t a, int32_t b)
{
    return (int32_t)((ear_long_product(a, b) + (1 << 30)) >> 31);
}

/* a * b / 2^32, rounded half up. */
static inline int32_t ear_multiply_top(int32_t a, int32_t b)
{
    return (int32_t)((ear_long_product(a, b) + ((int64_t)1 << 31)) >> 32);
}

/* x / 2^exponent, rounded half away from zero; exponent 0 to 31, |x| < INT32_MAX. */
static inline int32_t ear_divide_by_power(int32_t x, int32_t exponent)
{
    if (exponent == 0) {
        return x;
    }
    return (((x + (x >> 31)) >> (exponent - 1)) + 1) >> 1;
}

/* x * multiplier * 2^(shift - 31); multiplier >= 0, shift -31 to 30. x * 2^shift wraps if it
 * leaves int32, as it does in the reference. */
static inline int32_t ear_scale(int32_t x, int32_t multiplier, int32_t shift)
{
    const int32_t left = shift > 0 ? shift : 0;
    const int32_t high = ear_multiply_high((int32_t)((uint32_t)x << left), multiplier);
    return ear_divide_by_power(high, left - shift);
}

/* ear_scale for shifts of -31 to 0. */
static inline int32_t ear_scale_down(int32_t x, int32_t multiplier, int32_t shift)
{
    return ear_divide_by_power(ear_multiply_high(x, multiplier), -shift);
}

static inline int32_t ear_clamp(int32_t x, int32_t low, int32_t high)
{
    return x < low ? low : x > high ? high : x;
}

/* ear_scale of x, plus the output's zero point (wrapping too), clamped to [low, high]. */
static inline int32_t ear_scale_to(int32_t x, int32_t multiplier, int32_t shift,
                                   int32_t zero_point, int32_t low, int32_t high)
{
    const uint32_t moved = (uint32_t)ear_scale(x, multiplier, shift) + (uint32_t)zero_point;
    return ear_clamp((int32_t)moved, low, high);
}

/* Taps of a filter that fall inside the input: [first, end). */
typedef struct {
    int32_t first;
    int32_t end;
} ear_span_t;

/* The taps of one axis whose position origin + tap * dilation is in [0, size). */
static inline ear_span_t ear_taps_inside(int32_t origin, int32_t taps, int32_t dilation,
                                         int32_t size)
{
    const int32_t first = origin < 0 ? (dilation - 1 - origin) / dilation : 0;
    const int32_t room = size > origin ? (size - origin + dilation - 1) / dilation : 0;
    const ear_span_t span = {first, taps < room ? taps : room};
    return span;
}

#endif
