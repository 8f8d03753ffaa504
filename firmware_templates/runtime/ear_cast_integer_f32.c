#include "ear_cast.h"
#include "ear_kernels_arithmetic.h"

void ear_cast_integer_f32(const ear_cast_t *params, const void *input, float *output)
{
    for (int32_t i = 0; i < params->count; ++i) {
        const uint32_t x = ear_cast_load(params, input, i);
        output[i] = params->input_signed ? (float)(int32_t)x : (float)x;
    }
}
