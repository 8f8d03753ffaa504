#include "ear_columns_s8.h"

#include <string.h>

#include "ear_dsp.h"
#include "ear_requantize.h"

#define PAIRS (2 * EAR_COLUMNS) /* values of one pair of all columns */
#define QUAD (2 * PAIRS)        /* values of all columns for four of the depth */

/* Puts `count` values where a column has them, from a multiple of 4 on; a part of four is filled up
 * with zeros. */
static inline void put(int16_t *to, const int8_t *values, int32_t count, int32_t offset)
{
    int32_t left = count;
#if EAR_DSP
    const int16x2_t offsets = ear_dsp_twice(offset);
    for (; left >= 4; left -= 4, values += 4, to += QUAD) {
        const uint32_t quad = ear_dsp_quad(values);
        const int16x2_t even = ear_dsp_add_even(offsets, quad);
        const int16x2_t odd = ear_dsp_add_odd(offsets, quad);
        memcpy(to, &even, sizeof even);
        memcpy(to + PAIRS, &odd, sizeof odd);
    }
#else
    for (; left >= 4; left -= 4, values += 4, to += QUAD) {
        to[0] = (int16_t)(values[0] + offset);
        to[1] = (int16_t)(values[2] + offset);
        to[PAIRS] = (int16_t)(values[1] + offset);
        to[PAIRS + 1] = (int16_t)(values[3] + offset);
    }
#endif
    for (int32_t i = 0; i < (left > 0 ? 4 : 0); ++i) {
        to[i % 2 * PAIRS + i / 2] = (int16_t)(i < left ? values[i] + offset : 0);
    }
}

/* What lies under a window with gaps, gathered behind the columns. */
static const int8_t *gathered(const ear_columns_t *columns, const ear_window_t *window,
                              const int8_t *from)
{
    int8_t *const all = (int8_t *)(columns->values + (columns->depth + 3) / 4 * QUAD);
    memset(all, -columns->offset, (size_t)columns->depth);
    for (int32_t row = 0; row < window->rows; ++row) {
        const int8_t *run = from + row * window->input_row_step;
        int8_t *to = all + window->filter_at + row * window->filter_row_step;
        for (int32_t i = 0; i < window->runs; ++i) {
            memcpy(to, run, (size_t)window->run);
            run += window->input_tap_step;
            to += window->run;
        }
    }
    return all;
}

void ear_columns_put(ear_columns_t *columns, const ear_window_t *window, const int8_t *image)
{
    const int32_t offset = columns->offset;
    const int8_t *from = image + window->input_at;
    int16_t *const to = columns->values + 2 * columns->count++;
    if (window->run == columns->depth) {
        put(to, from, window->run, offset);
    } else if (window->runs == 1 && window->rows * window->run == columns->depth &&
               window->run % 4 == 0) {
        const int32_t step = window->run / 4 * QUAD;
        for (int32_t row = 0; row < window->rows; ++row) {
            put(to + row * step, from, window->run, offset);
            from += window->input_row_step;
        }
    } else {
        put(to, gathered(columns, window, from), columns->depth, offset);
    }
}

#if EAR_DSP && defined(__OPTIMIZE__) /* all registers are taken: there is none for debugging */

/* The products of four values of the depth at five columns: 15 instructions for 20. */
#define LOADED_QUAD                                                                               \
    "ldmia %[values]!, {r8-r12}\n\t"                                                              \
    "sxtb16 %[pair], %[taps]\n\t"                                                                 \
    "smlad %[sum0], r8, %[pair], %[sum0]\n\t"                                                     \
    "smlad %[sum1], r9, %[pair], %[sum1]\n\t"                                                     \
    "smlad %[sum2], r10, %[pair], %[sum2]\n\t"                                                    \
    "smlad %[sum3], r11, %[pair], %[sum3]\n\t"                                                    \
    "smlad %[sum4], r12, %[pair], %[sum4]\n\t"                                                    \
    "ldmia %[values]!, {r8-r12}\n\t"                                                              \
    "sxtb16 %[pair], %[taps], ror #8\n\t"                                                         \
    "smlad %[sum0], r8, %[pair], %[sum0]\n\t"                                                     \
    "smlad %[sum1], r9, %[pair], %[sum1]\n\t"                                                     \
    "smlad %[sum2], r10, %[pair], %[sum2]\n\t"                                                    \
    "smlad %[sum3], r11, %[pair], %[sum3]\n\t"                                                    \
    "smlad %[sum4], r12, %[pair], %[sum4]\n\t"
#define ONE_QUAD "ldr %[taps], [%[filter]], #4\n\t" LOADED_QUAD
/* taps: where the weights end, which is kept on the stack for want of a register. */
#define QUADS                                                                                     \
    "push {%[taps]}\n\t"                                                                          \
    "1:\n\t" ONE_QUAD ONE_QUAD ONE_QUAD ONE_QUAD "ldr r8, [sp]\n\t"                               \
    "cmp %[filter], r8\n\t"                                                                       \
    "bne 1b\n\t"                                                                                  \
    "add sp, #4\n\t"
#define PRODUCTS(code)                                                                            \
    __asm__ volatile(code                                                                         \
                     : [values] "+r"(values), [filter] "+r"(filter), [sum0] "+r"(sum0),           \
                       [sum1] "+r"(sum1), [sum2] "+r"(sum2), [sum3] "+r"(sum3),                   \
                       [sum4] "+r"(sum4), [taps] "+r"(taps), [pair] "=&r"(pair)                   \
                     :                                                                            \
                     : "r8", "r9", "r10", "r11", "r12", "cc", "memory")

/* Adds to the sums of one channel at five columns; returns the weights of the next. */
__attribute__((always_inline)) static inline const int8_t *
five_sums(const int16_t *values, uint32_t depth, const int8_t *filter, int32_t sums[EAR_COLUMNS])
{
    int32_t sum0 = sums[0];
    int32_t sum1 = sums[1];
    int32_t sum2 = sums[2];
    int32_t sum3 = sums[3];
    int32_t sum4 = sums[4];
    uint32_t taps = (uint32_t)filter + (depth & ~15u);
    int32_t pair;
    if (taps != (uint32_t)filter) {
        PRODUCTS(QUADS);
    }
    if (depth % 16 != 0) {
        for (uint32_t ones = depth / 4 % 4; ones != 0; --ones) {
            PRODUCTS(ONE_QUAD);
        }
        if (depth % 4 != 0) {
            taps = ear_dsp_rest(filter, (int32_t)(depth % 4));
            filter += depth % 4;
            PRODUCTS(LOADED_QUAD);
        }
    }
    sums[0] = sum0;
    sums[1] = sum1;
    sums[2] = sum2;
    sums[3] = sum3;
    sums[4] = sum4;
    return filter;
}

#else

__attribute__((always_inline)) static inline const int8_t *
five_sums(const int16_t *values, uint32_t depth, const int8_t *filter, int32_t sums[EAR_COLUMNS])
{
    for (; depth >= 4; depth -= 4, values += QUAD, filter += 4) {
        const int32_t taps[4] = {filter[0], filter[1], filter[2], filter[3]};
#pragma GCC unroll 5
        for (int32_t k = 0; k < EAR_COLUMNS; ++k) {
            const int16_t *const from = values + 2 * k;
            int32_t sum = ear_wrapping_sum(sums[k], from[0] * taps[0]);
            sum = ear_wrapping_sum(sum, from[PAIRS] * taps[1]);
            sum = ear_wrapping_sum(sum, from[1] * taps[2]);
            sums[k] = ear_wrapping_sum(sum, from[PAIRS + 1] * taps[3]);
        }
    }
    for (uint32_t i = 0; i < depth; ++i) {
        const int16_t *const from = values + i % 2 * PAIRS + i / 2;
        for (int32_t k = 0; k < EAR_COLUMNS; ++k) {
            sums[k] = ear_wrapping_sum(sums[k], from[2 * k] * filter[i]);
        }
    }
    return filter + depth;
}

#endif

/* The outputs of one channel at some columns. Not inline: few scales need it. */
__attribute__((noinline)) static void any_ends(const ear_finish_t *finish, int32_t channel,
                                               const int32_t sums[EAR_COLUMNS], int32_t count,
                                               int8_t *output, int32_t stride)
{
    for (int32_t i = 0; i < count; ++i) {
        ear_finish_s8(finish, channel, 1, sums + i, output + i * stride);
    }
}

void ear_columns_product(const ear_columns_t *columns, const int8_t *filter, int32_t channel,
                         int32_t count, const ear_finish_t *finish, int8_t *output,
                         int32_t stride)
{
    /* Fields in variables: as far as C knows, a store to output could change them. */
    const int16_t *const values = columns->values;
    const uint32_t depth = (uint32_t)columns->depth;
    const int32_t *const bias = finish->bias;
    const int32_t end = channel + count;
#if EAR_DSP
    const int32_t *const multipliers = finish->scales.multipliers;
    const int8_t *const shifts = finish->scales.shifts;
    const int32_t step = finish->scales.step;
    const int32_t half = ear_dsp_end(finish->zero_point, -1);
    const bool whole = finish->low == INT8_MIN && finish->high == INT8_MAX;
    const uint32_t shifts_most = whole && columns->count == EAR_COLUMNS ? 20 : 0;
#endif
    do {
        const int32_t first = bias != NULL ? bias[channel] : 0;
        int32_t sums[EAR_COLUMNS] = {first, first, first, first, first};
        filter = five_sums(values, depth, filter, sums);
#if EAR_DSP
        const int32_t right = -shifts[channel * step];
        if ((uint32_t)right - 1 < shifts_most) {
            const int32_t multiplier = multipliers[channel * step];
            const int32_t added = (int32_t)((uint32_t)half << (right - 1));
            int8_t *to = output;
#pragma GCC unroll 5
            for (int32_t i = 0; i < EAR_COLUMNS; ++i, to += stride) {
                *to = (int8_t)ear_dsp_scale(sums[i], multiplier, right, added);
            }
        } else
#endif
        {
            const int32_t kept[EAR_COLUMNS] = {sums[0], sums[1], sums[2], sums[3], sums[4]};
            any_ends(finish, channel, kept, columns->count, output, stride);
        }
        ++output;
    } while (++channel < end);
}

void ear_columns_begin(const ear_finish_t *finish, int32_t channel, int32_t count, int32_t *sums)
{
    for (int32_t i = 0; i < count; ++i) {
        const int32_t first = ear_begin_s8(finish, channel + i);
        for (int32_t k = 0; k < EAR_COLUMNS; ++k) {
            *sums++ = first;
        }
    }
}

void ear_columns_add(const ear_columns_t *columns, const int8_t *filter, int32_t row,
                     int32_t count, int32_t *sums)
{
    const int16_t *const values = columns->values;
    const uint32_t depth = (uint32_t)columns->depth;
    for (; count > 0; --count, filter += row, sums += EAR_COLUMNS) {
        five_sums(values, depth, filter, sums);
    }
}

void ear_columns_end(const ear_columns_t *columns, int32_t channel, int32_t count,
                     const ear_finish_t *finish, const int32_t *sums, int8_t *output,
                     int32_t stride)
{
    for (int32_t k = 0; k < columns->count; ++k, output += stride) {
        for (int32_t i = 0; i < count; ++i) {
            ear_finish_s8(finish, channel + i, 1, sums + EAR_COLUMNS * i + k, output + i);
        }
    }
}
