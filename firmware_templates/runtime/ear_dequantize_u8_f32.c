#include "ear_kernels_arithmetic.h"

void ear_dequantize_u8_f32(const ear_quantize_t *params, const uint8_t *input, float *output)
{
    for (int32_t i = 0; i < params->count; ++i) {
        output[i] = params->scale * (float)(input[i] - params->zero_point);
    }
}
