/* The end of a layer with weights where export has proved that the short way gives the same bits:
 * sums with their biases are below 2^30, and shifts are -22 to -1. */
#ifndef EAR_END_S8_H
#define EAR_END_S8_H

#include "ear_kernels.h"
#include "ear_requantize.h"

/* What the outputs of one channel share. */
typedef struct {
    int32_t multiplier;
    int32_t exponent;
    int32_t rest; /* half of the last unit, and the zero point */
} ear_end_t;

static inline ear_end_t ear_end_of(const ear_scales_t *scales, int32_t channel,
                                   int32_t zero_point)
{
    const int32_t at = channel * scales->step;
    const int32_t exponent = -scales->shifts[at];
    const int32_t one = 1 << exponent;
    const ear_end_t end = {scales->multipliers[at], exponent, zero_point * one + one / 2};
    return end;
}

/* ear_scale_to without the clamp. A product of twice the sum has its upper half where it is
 * wanted; both roundings and the zero point are then two sums and one shift. */
static inline int32_t ear_end_scale(int32_t sum, const ear_end_t *end)
{
    const int64_t product = ear_long_product(2 * sum, end->multiplier);
    const int32_t high = (int32_t)(product >> 32) + (int32_t)((uint32_t)product >> 31);
    return (high + (high >> 31) + end->rest) >> end->exponent;
}

static inline int32_t ear_end_saturate(int32_t x)
{
#if defined(__thumb2__)
    __asm__("ssat %0, #8, %0" : "+r"(x));
    return x;
#else
    return ear_clamp(x, INT8_MIN, INT8_MAX);
#endif
}

/* The outputs of `count` sums of one channel, at most 4, `step` apart. */
static inline void ear_end_put(const int32_t sums[4], const ear_end_t *end, int32_t low,
                               int32_t high, int32_t count, int8_t *output, int32_t step)
{
    int32_t values[4];
#pragma GCC unroll 4
    for (int32_t i = 0; i < 4; ++i) {
        values[i] = ear_end_saturate(ear_end_scale(sums[i], end));
    }
    if (low != INT8_MIN || high != INT8_MAX) {
#pragma GCC unroll 4
        for (int32_t i = 0; i < 4; ++i) {
            values[i] = ear_clamp(values[i], low, high);
        }
    }
    if (count == 4) {
        output[0] = (int8_t)values[0];
        output[step] = (int8_t)values[1];
        output[2 * step] = (int8_t)values[2];
        output[3 * step] = (int8_t)values[3];
        return;
    }
    for (int32_t i = 0; i < count; ++i) {
        output[i * step] = (int8_t)values[i];
    }
}

#endif
