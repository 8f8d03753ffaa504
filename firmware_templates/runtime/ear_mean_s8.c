#include "ear_kernels.h"

#define EAR_MEAN_T int8_t
#include "ear_mean.h"
#include "ear_requantize.h"

void ear_mean_s8(const ear_mean_t *params, const int8_t *input, int8_t *output)
{
    for (int32_t a = 0; a < params->kept[0]; ++a) {
        for (int32_t b = 0; b < params->kept[1]; ++b) {
            const int8_t *from = input + a * params->kept_stride[0] + b * params->kept_stride[1];
            for (int32_t c = 0; c < params->kept[2]; ++c, from += params->kept_stride[2]) {
                *output++ = (int8_t)ear_scale_to(ear_mean_sum(params, from) + params->sum_offset,
                                                 params->multiplier, params->shift,
                                                 params->output_offset, INT8_MIN, INT8_MAX);
            }
        }
    }
}
