/* The steps that LOGISTIC and TANH on int16 share. */
#ifndef EAR_SIGMOID_S16_H
#define EAR_SIGMOID_S16_H

#include "ear_kernels_s16.h"

/* The input in steps of 1/12288, rounded half up; at most 2^30 in size. */
static inline int32_t ear_sigmoid_input_s16(const ear_sigmoid_s16_t *params, int32_t value)
{
    const int32_t half = params->shift > 0 ? 1 << (params->shift - 1) : 0;
    return (value * params->multiplier + half) >> params->shift;
}

/* sigmoid[at / 2^bits] with `bits` more bits below the point, which are interpolated; from entry
 * 255 on, `most` (without these bits). */
static inline int32_t ear_sigmoid_s16(const ear_sigmoid_s16_t *params, int32_t at, int32_t bits,
                                      int32_t most)
{
    const int32_t entry = at >> bits;
    if (entry >= 255) {
        return most << bits;
    }
    const int32_t low = params->sigmoid[entry];
    const int32_t high = params->sigmoid[entry + 1];
    return (low << bits) + (at & ((1 << bits) - 1)) * (high - low);
}

#endif
