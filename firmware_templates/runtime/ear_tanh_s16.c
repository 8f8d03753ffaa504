#include "ear_kernels_s16.h"

#include "ear_sigmoid_s16.h"

void ear_tanh_s16(const ear_sigmoid_s16_t *params, const int16_t *input, int16_t *output)
{
    for (int32_t i = 0; i < params->count; ++i) {
        const int32_t at = ear_sigmoid_input_s16(input[i], params->multiplier, params->shift);
        output[i] = ear_sigmoid_tanh_s16(params->sigmoid, at);
    }
}
