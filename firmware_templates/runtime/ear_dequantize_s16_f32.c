#include "ear_kernels.h"

void ear_dequantize_s16_f32(const ear_quantize_t *params, const int16_t *input, float *output)
{
    for (int32_t i = 0; i < params->count; ++i) {
        output[i] = params->scale * (float)(input[i] - params->zero_point);
    }
}
