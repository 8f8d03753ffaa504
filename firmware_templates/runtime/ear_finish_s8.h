/* The end of every layer with weights: bias, scale, zero point, clamp. */
#ifndef EAR_FINISH_S8_H
#define EAR_FINISH_S8_H

#include "ear_kernels.h"
#include "ear_requantize.h"

/* The output of one channel, from its sum without bias. */
static inline int8_t ear_finish_s8(const ear_scales_t *scales, const int32_t *bias,
                                   int32_t channel, int32_t sum, int32_t zero_point, int32_t low,
                                   int32_t high)
{
    const int32_t at = channel * scales->step;
    const int32_t biased = bias != NULL ? sum + bias[channel] : sum;
    return (int8_t)ear_scale_to(biased, scales->multipliers[at], scales->shifts[at], zero_point,
                                low, high);
}

#endif
