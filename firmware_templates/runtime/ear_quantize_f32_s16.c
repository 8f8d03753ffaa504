#include "ear_kernels.h"

#include "ear_round.h"

void ear_quantize_f32_s16(const ear_quantize_t *params, const float *input, int16_t *output)
{
    for (int32_t i = 0; i < params->count; ++i) {
        output[i] = (int16_t)ear_quantize_f32(input[i], params->scale, params->zero_point, INT16_MIN,
                                         INT16_MAX);
    }
}
