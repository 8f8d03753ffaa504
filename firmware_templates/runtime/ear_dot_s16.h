/* Sums of products of int16 inputs and int8 weights: the inner loops of convolution and fully
 * connected layers. */
#ifndef EAR_DOT_S16_H
#define EAR_DOT_S16_H

#include "ear.h"

/* sums[k] += sum over i of input[i] * filter[k * stride + i], for k = 0 to 3: four filters share
 * each input element, which halves the loads of one at a time. */
static inline void ear_dot4_s16(const int16_t *input, const int8_t *filter, int32_t stride,
                                int32_t count, int32_t sums[4])
{
    const int8_t *const filter1 = filter + stride;
    const int8_t *const filter2 = filter1 + stride;
    const int8_t *const filter3 = filter2 + stride;
    int32_t sum0 = sums[0];
    int32_t sum1 = sums[1];
    int32_t sum2 = sums[2];
    int32_t sum3 = sums[3];
    for (int32_t i = 0; i < count; ++i) {
        const int32_t value = input[i];
        sum0 += value * filter[i];
        sum1 += value * filter1[i];
        sum2 += value * filter2[i];
        sum3 += value * filter3[i];
    }
    sums[0] = sum0;
    sums[1] = sum1;
    sums[2] = sum2;
    sums[3] = sum3;
}

/* The sum over i of input[i] * filter[i], of any length. */
static inline int64_t ear_dot_s16(const int16_t *input, const int8_t *filter, int32_t count)
{
    int64_t sum = 0;
    for (int32_t i = 0; i < count; ++i) {
        sum += input[i] * filter[i];
    }
    return sum;
}

#endif
