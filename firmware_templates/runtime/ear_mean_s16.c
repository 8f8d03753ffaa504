#include "ear_kernels_s16.h"

#include "ear_requantize.h"

static int32_t sum_from(const ear_mean_t *params, const int16_t *input)
{
    int32_t sum = 0;
    for (int32_t a = 0; a < params->summed[0]; ++a) {
        for (int32_t b = 0; b < params->summed[1]; ++b) {
            const int16_t *value =
                input + a * params->summed_stride[0] + b * params->summed_stride[1];
            for (int32_t c = 0; c < params->summed[2]; ++c, value += params->summed_stride[2]) {
                sum += *value;
            }
        }
    }
    return sum;
}

void ear_mean_s16(const ear_mean_t *params, const int16_t *input, int16_t *output)
{
    for (int32_t a = 0; a < params->kept[0]; ++a) {
        for (int32_t b = 0; b < params->kept[1]; ++b) {
            const int16_t *from = input + a * params->kept_stride[0] + b * params->kept_stride[1];
            for (int32_t c = 0; c < params->kept[2]; ++c, from += params->kept_stride[2]) {
                *output++ = (int16_t)ear_scale_to(sum_from(params, from) + params->sum_offset,
                                                 params->multiplier, params->shift,
                                                 params->output_offset, INT16_MIN, INT16_MAX);
            }
        }
    }
}
