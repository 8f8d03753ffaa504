/* The steps of softmax over one row, shared by the kernels of both output widths and LOG_SOFTMAX.
 * The fixed-point formats and the order of operations are those of TFLite-Micro's reference
 * kernel. */
#ifndef EAR_SOFTMAX_H
#define EAR_SOFTMAX_H

#include "ear_kernels.h"

/* Zero bits above the highest set one; 32 for 0. */
int32_t ear_leading_zeros(uint32_t x);

/* 1 / (1 + x) for x in [0, 1), Q0.31. */
int32_t ear_one_over_one_plus(int32_t x);

/* 1 / (sum of exps): reciprocal in Q0.31, to be shifted right by shift + 31 - output bits. */
typedef struct {
    int32_t reciprocal;
    int32_t shift;
} ear_softmax_scale_t;

int8_t ear_softmax_largest(const int8_t *row, int32_t depth);

/* The sum is kept with 12 integer bits. */
ear_softmax_scale_t ear_softmax_scale(const ear_softmax_t *params, const int8_t *row,
                                      int8_t largest);

/* The probability of one element, 0 to 2^bits - 1 (before any clamping 2^bits is possible). */
int32_t ear_softmax_probability(const ear_softmax_t *params, ear_softmax_scale_t scale,
                                int32_t difference, int32_t bits);

#endif
