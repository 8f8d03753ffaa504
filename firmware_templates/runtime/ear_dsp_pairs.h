/* Arithmetic on two int16 in a word, the lower half first: instructions of the DSP extension where
 * the core has it (ear_dsp.h), plain C of the same bits where it has not. Sums wrap. */
#ifndef EAR_DSP_PAIRS_H
#define EAR_DSP_PAIRS_H

#include "ear_dsp.h"
#include "ear_requantize.h"

static inline uint32_t ear_pair(int32_t low, int32_t high)
{
    return ((uint32_t)low & 0xffffu) | (uint32_t)high << 16;
}

#if EAR_DSP

/* sum + the products of both halves. */
static inline int32_t ear_pair_products(uint32_t a, uint32_t b, int32_t sum)
{
    return __smlad((int16x2_t)a, (int16x2_t)b, sum);
}

/* sum + lower half of a * upper half of b. */
static inline int32_t ear_pair_low_high(uint32_t a, uint32_t b, int32_t sum)
{
    return __smlabt((int32_t)a, (int32_t)b, sum);
}

/* Bytes 0 and 2, or 1 and 3, as a pair. */
static inline uint32_t ear_pair_even(uint32_t quad)
{
    return (uint32_t)ear_dsp_even(quad);
}

static inline uint32_t ear_pair_odd(uint32_t quad)
{
    return (uint32_t)ear_dsp_odd(quad);
}

/* a * b / 2^32, rounded half up. */
static inline int32_t ear_pair_multiply_high(int32_t a, int32_t b)
{
    return ear_dsp_multiply_high(a, b);
}

/* The same, plus sum. */
static inline int32_t ear_pair_multiply_high_add(int32_t a, int32_t b, int32_t sum)
{
    int32_t high;
    __asm__("smmlar %0, %1, %2, %3" : "=r"(high) : "r"(a), "r"(b), "r"(sum));
    return high;
}

static inline int32_t ear_pair_saturate8(int32_t x)
{
    int32_t value;
    __asm__("ssat %0, #8, %1" : "=r"(value) : "r"(x)); /* __ssat's type is not int32_t */
    return value;
}

#else

static inline int32_t ear_pair_low(uint32_t pair)
{
    return (int16_t)(pair & 0xffffu);
}

static inline int32_t ear_pair_high(uint32_t pair)
{
    return (int16_t)(pair >> 16);
}

static inline int32_t ear_pair_products(uint32_t a, uint32_t b, int32_t sum)
{
    sum = ear_wrapping_sum(sum, ear_pair_low(a) * ear_pair_low(b));
    return ear_wrapping_sum(sum, ear_pair_high(a) * ear_pair_high(b));
}

static inline int32_t ear_pair_low_high(uint32_t a, uint32_t b, int32_t sum)
{
    return ear_wrapping_sum(sum, ear_pair_low(a) * ear_pair_high(b));
}

static inline uint32_t ear_pair_even(uint32_t quad)
{
    return ear_pair((int8_t)(quad & 0xffu), (int8_t)(quad >> 16 & 0xffu));
}

static inline uint32_t ear_pair_odd(uint32_t quad)
{
    return ear_pair_even(quad >> 8);
}

static inline int32_t ear_pair_multiply_high(int32_t a, int32_t b)
{
    return (int32_t)(((int64_t)a * b + INT64_C(0x80000000)) >> 32);
}

static inline int32_t ear_pair_multiply_high_add(int32_t a, int32_t b, int32_t sum)
{
    return ear_wrapping_sum(ear_pair_multiply_high(a, b), sum);
}

static inline int32_t ear_pair_saturate8(int32_t x)
{
    return ear_clamp(x, INT8_MIN, INT8_MAX);
}

#endif
#endif
