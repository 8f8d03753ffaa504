/* What MEAN and SUM of both widths share, on tensors of ear_mean_value_t: int8_t, but where
 * EAR_MEAN_T is defined before. */
#ifndef EAR_MEAN_H
#define EAR_MEAN_H

#include "ear_kernels.h"

#ifndef EAR_MEAN_T
#define EAR_MEAN_T int8_t
#endif

typedef EAR_MEAN_T ear_mean_value_t;

/* The sum of the elements that are reduced to one, the first of which is at `input`. */
static inline int32_t ear_mean_sum(const ear_mean_t *params, const ear_mean_value_t *input)
{
    int32_t sum = 0;
    for (int32_t a = 0; a < params->summed[0]; ++a) {
        for (int32_t b = 0; b < params->summed[1]; ++b) {
            const ear_mean_value_t *value =
                input + a * params->summed_stride[0] + b * params->summed_stride[1];
            for (int32_t c = 0; c < params->summed[2]; ++c, value += params->summed_stride[2]) {
                sum += *value;
            }
        }
    }
    return sum;
}

#endif
