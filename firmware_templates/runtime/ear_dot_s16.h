/* Sums of products of int16 inputs and int8 weights: the inner loops of convolution and fully
 * connected layers. Each piece of at most EAR_DOT_PIECE products is summed up in 32 bits. */
#ifndef EAR_DOT_S16_H
#define EAR_DOT_S16_H

#include "ear.h"

/* 511 products of -32768 and -128 are the most that fit. */
#define EAR_DOT_PIECE 508

/* sums[k] += sum over i of input[i] * filter[k * stride + i], for k = 0 to 3: four filters share
 * each input element, which halves the loads of one at a time. */
static inline void ear_dot4_s16(const int16_t *input, const int8_t *filter, int32_t stride,
                                int32_t count, int64_t sums[4])
{
    while (count > 0) {
        const int32_t piece = count < EAR_DOT_PIECE ? count : EAR_DOT_PIECE;
        const int8_t *const filter1 = filter + stride;
        const int8_t *const filter2 = filter1 + stride;
        const int8_t *const filter3 = filter2 + stride;
        int32_t sum0 = 0;
        int32_t sum1 = 0;
        int32_t sum2 = 0;
        int32_t sum3 = 0;
        for (int32_t i = 0; i < piece; ++i) {
            const int32_t value = input[i];
            sum0 += value * filter[i];
            sum1 += value * filter1[i];
            sum2 += value * filter2[i];
            sum3 += value * filter3[i];
        }
        sums[0] += sum0;
        sums[1] += sum1;
        sums[2] += sum2;
        sums[3] += sum3;
        input += piece;
        filter += piece;
        count -= piece;
    }
}

/* The sum over i of input[i] * filter[i]. */
static inline int64_t ear_dot_s16(const int16_t *input, const int8_t *filter, int32_t count)
{
    int64_t total = 0;
    while (count > 0) {
        const int32_t piece = count < EAR_DOT_PIECE ? count : EAR_DOT_PIECE;
        int32_t sum = 0;
        for (int32_t i = 0; i < piece; ++i) {
            sum += input[i] * filter[i];
        }
        total += sum;
        input += piece;
        filter += piece;
        count -= piece;
    }
    return total;
}

#endif
