#include "ear_columns_s8.h"

#include "ear_dsp.h"
#include "ear_requantize.h"

#define QUAD (4 * EAR_COLUMNS) /* values of all columns for four of the depth */

void ear_columns_put(const ear_columns_t *columns, int32_t number, const int8_t *values,
                     int32_t offset)
{
    int16_t *to = columns->values + 2 * number;
    int32_t left = columns->depth;
#if EAR_DSP
    const int16x2_t offsets = ear_dsp_twice(offset);
    for (; left >= 4; left -= 4, values += 4, to += QUAD) {
        const uint32_t quad = ear_dsp_quad(values);
        const int16x2_t even = ear_dsp_add_even(offsets, quad);
        const int16x2_t odd = ear_dsp_add_odd(offsets, quad);
        memcpy(to, &even, sizeof even);
        memcpy(to + QUAD / 2, &odd, sizeof odd);
    }
#else
    for (; left >= 4; left -= 4, values += 4, to += QUAD) {
        to[0] = (int16_t)(values[0] + offset);
        to[1] = (int16_t)(values[2] + offset);
        to[QUAD / 2] = (int16_t)(values[1] + offset);
        to[QUAD / 2 + 1] = (int16_t)(values[3] + offset);
    }
#endif
    for (int32_t i = 0; i < (left > 0 ? 4 : 0); ++i) {
        to[i % 2 * (QUAD / 2) + i / 2] = (int16_t)(i < left ? values[i] + offset : 0);
    }
}

#if EAR_DSP

/* The products of four values of the depth at four columns: 13 instructions for 16. */
#define LOADED_QUAD                                                                               \
    "ldmia %[values]!, {r8-r11}\n\t"                                                              \
    "sxtb16 %[pair], %[taps]\n\t"                                                                 \
    "smlad %[sum0], r8, %[pair], %[sum0]\n\t"                                                     \
    "smlad %[sum1], r9, %[pair], %[sum1]\n\t"                                                     \
    "smlad %[sum2], r10, %[pair], %[sum2]\n\t"                                                    \
    "smlad %[sum3], r11, %[pair], %[sum3]\n\t"                                                    \
    "ldmia %[values]!, {r8-r11}\n\t"                                                              \
    "sxtb16 %[pair], %[taps], ror #8\n\t"                                                         \
    "smlad %[sum0], r8, %[pair], %[sum0]\n\t"                                                     \
    "smlad %[sum1], r9, %[pair], %[sum1]\n\t"                                                     \
    "smlad %[sum2], r10, %[pair], %[sum2]\n\t"                                                    \
    "smlad %[sum3], r11, %[pair], %[sum3]\n\t"
#define ONE_QUAD "ldr %[taps], [%[filter]], #4\n\t" LOADED_QUAD

/* Adds to the sums of one channel at four columns. */
static inline void four_sums(const ear_columns_t *columns, const int8_t *filter, int32_t sums[4])
{
    const int16_t *values = columns->values;
    uint32_t fours = (uint32_t)columns->depth / 16u;
    uint32_t ones = (uint32_t)columns->depth / 4u % 4u;
    const int32_t rest = columns->depth & 3;
    int32_t sum0 = sums[0];
    int32_t sum1 = sums[1];
    int32_t sum2 = sums[2];
    int32_t sum3 = sums[3];
    uint32_t taps = 0;
    int32_t pair;
    if (fours != 0) {
        __asm__ volatile("1:\n\t" ONE_QUAD ONE_QUAD ONE_QUAD ONE_QUAD "subs %[fours], #1\n\t"
                         "bne 1b\n\t"
                         : [values] "+r"(values), [filter] "+r"(filter), [fours] "+r"(fours),
                           [sum0] "+r"(sum0), [sum1] "+r"(sum1), [sum2] "+r"(sum2),
                           [sum3] "+r"(sum3), [taps] "+r"(taps), [pair] "=&r"(pair)
                         :
                         : "r8", "r9", "r10", "r11", "cc", "memory");
    }
    for (; ones != 0; --ones) {
        __asm__ volatile(ONE_QUAD
                         : [values] "+r"(values), [filter] "+r"(filter), [sum0] "+r"(sum0),
                           [sum1] "+r"(sum1), [sum2] "+r"(sum2), [sum3] "+r"(sum3),
                           [taps] "+r"(taps), [pair] "=&r"(pair)
                         :
                         : "r8", "r9", "r10", "r11", "memory");
    }
    if (rest != 0) {
        taps = ear_dsp_rest(filter, rest);
        __asm__ volatile(LOADED_QUAD
                         : [values] "+r"(values), [sum0] "+r"(sum0), [sum1] "+r"(sum1),
                           [sum2] "+r"(sum2), [sum3] "+r"(sum3), [taps] "+r"(taps),
                           [pair] "=&r"(pair)
                         :
                         : "r8", "r9", "r10", "r11", "memory");
    }
    sums[0] = sum0;
    sums[1] = sum1;
    sums[2] = sum2;
    sums[3] = sum3;
}

#else

/* Adds to the sum of one column; taps: four weights. */
static inline int32_t products(const int16_t *column, const int32_t taps[4], int32_t sum)
{
    sum = ear_wrapping_sum(sum, column[0] * taps[0]);
    sum = ear_wrapping_sum(sum, column[QUAD / 2] * taps[1]);
    sum = ear_wrapping_sum(sum, column[1] * taps[2]);
    return ear_wrapping_sum(sum, column[QUAD / 2 + 1] * taps[3]);
}

static void four_sums(const ear_columns_t *columns, const int8_t *filter, int32_t sums[4])
{
    const int16_t *values = columns->values;
    int32_t left = columns->depth;
    int32_t sum0 = sums[0];
    int32_t sum1 = sums[1];
    int32_t sum2 = sums[2];
    int32_t sum3 = sums[3];
    for (; left >= 4; left -= 4, filter += 4, values += QUAD) {
        const int32_t taps[4] = {filter[0], filter[1], filter[2], filter[3]};
        sum0 = products(values, taps, sum0);
        sum1 = products(values + 2, taps, sum1);
        sum2 = products(values + 4, taps, sum2);
        sum3 = products(values + 6, taps, sum3);
    }
    sums[0] = sum0;
    sums[1] = sum1;
    sums[2] = sum2;
    sums[3] = sum3;
    for (int32_t i = 0; i < left; ++i) {
        const int16_t *const from = values + i % 2 * (QUAD / 2) + i / 2;
        for (int32_t k = 0; k < EAR_COLUMNS; ++k) {
            sums[k] = ear_wrapping_sum(sums[k], from[2 * k] * filter[i]);
        }
    }
}

#endif

/* The outputs of one channel at four columns. */
static inline void four_ends(const ear_finish_t *finish, int32_t channel, const int32_t sums[4],
                             int8_t *output, int32_t stride)
{
    const int32_t at = channel * finish->scales.step;
    const int32_t multiplier = finish->scales.multipliers[at];
    const int32_t shift = finish->scales.shifts[at];
    int32_t values[EAR_COLUMNS];
#if EAR_DSP
    if (ear_dsp_can_scale(shift)) {
        const int32_t end = ear_dsp_end(finish->zero_point, shift);
#pragma GCC unroll 4
        for (int32_t i = 0; i < EAR_COLUMNS; ++i) {
            values[i] = ear_dsp_scale(sums[i], multiplier, -shift, end);
        }
        if (finish->low != INT8_MIN || finish->high != INT8_MAX) {
            for (int32_t i = 0; i < EAR_COLUMNS; ++i) {
                values[i] = ear_clamp(values[i], finish->low, finish->high);
            }
        }
    } else
#endif
    {
        for (int32_t i = 0; i < EAR_COLUMNS; ++i) {
            values[i] = ear_scale_to(sums[i], multiplier, shift, finish->zero_point, finish->low,
                                     finish->high);
        }
    }
#pragma GCC unroll 4
    for (int32_t i = 0; i < EAR_COLUMNS; ++i, output += stride) {
        *output = (int8_t)values[i];
    }
}

void ear_columns_product(const ear_columns_t *columns, const int8_t *filter, int32_t channel,
                         int32_t count, const ear_finish_t *finish, int8_t *output,
                         int32_t stride)
{
    for (const int32_t end = channel + count; channel < end; ++channel) {
        const int32_t first = ear_begin_s8(finish, channel);
        int32_t sums[EAR_COLUMNS] = {first, first, first, first};
        four_sums(columns, filter, sums);
        four_ends(finish, channel, sums, output, stride);
        filter += columns->depth;
        ++output;
    }
}
