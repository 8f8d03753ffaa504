#include "ear_kernels_s16.h"

#define EAR_MEAN_T int16_t
#include "ear_mean.h"
#include "ear_requantize.h"

void ear_mean_s16(const ear_mean_t *params, const int16_t *input, int16_t *output)
{
    for (int32_t a = 0; a < params->kept[0]; ++a) {
        for (int32_t b = 0; b < params->kept[1]; ++b) {
            const int16_t *from = input + a * params->kept_stride[0] + b * params->kept_stride[1];
            for (int32_t c = 0; c < params->kept[2]; ++c, from += params->kept_stride[2]) {
                *output++ = (int16_t)ear_scale_to(ear_mean_sum(params, from) + params->sum_offset,
                                                 params->multiplier, params->shift,
                                                 params->output_offset, INT16_MIN, INT16_MAX);
            }
        }
    }
}
