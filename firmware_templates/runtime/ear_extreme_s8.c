#include "ear_kernels_reduce.h"

static int8_t largest(const ear_extreme_t *params, const int8_t *input)
{
    int32_t found = *input * params->sign;
    for (int32_t a = 0; a < params->reduced[0]; ++a) {
        for (int32_t b = 0; b < params->reduced[1]; ++b) {
            const int8_t *value =
                input + a * params->reduced_stride[0] + b * params->reduced_stride[1];
            for (int32_t c = 0; c < params->reduced[2]; ++c, value += params->reduced_stride[2]) {
                const int32_t signed_value = *value * params->sign;
                found = signed_value > found ? signed_value : found;
            }
        }
    }
    return (int8_t)(found * params->sign);
}

void ear_extreme_s8(const ear_extreme_t *params, const int8_t *input, int8_t *output)
{
    for (int32_t a = 0; a < params->kept[0]; ++a) {
        for (int32_t b = 0; b < params->kept[1]; ++b) {
            const int8_t *from = input + a * params->kept_stride[0] + b * params->kept_stride[1];
            for (int32_t c = 0; c < params->kept[2]; ++c, from += params->kept_stride[2]) {
                *output++ = largest(params, from);
            }
        }
    }
}
