/* The steps of softmax over one row, shared by the kernels of both output widths. The fixed-point
 * formats and the order of operations are those of TFLite-Micro's reference kernel. */
#ifndef EAR_SOFTMAX_H
#define EAR_SOFTMAX_H

#include "ear_kernels.h"

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
