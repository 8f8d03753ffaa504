/* Sums of products of int16 inputs and int8 weights: the inner loops of convolution and fully
 * connected layers. 32-bit sums wrap, as those of the reference do. */
#ifndef EAR_DOT_S16_H
#define EAR_DOT_S16_H

#include "ear.h"
#include "ear_requantize.h"

/* sums[k] += sum over i of input[i] * filter[k * stride + i], for k = 0 to 3: four filters share
 * each input element, which halves the loads of one at a time. */
void ear_dot4_s16(const int16_t *input, const int8_t *filter, int32_t stride, int32_t count,
                  int32_t sums[4]);

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
