#include "ear_kernels.h"

#include "ear_requantize.h"

void ear_rescale_s16_s32(const ear_rescale_t *params, const int16_t *input, int32_t *output)
{
    for (int32_t i = 0; i < params->count; ++i) {
        output[i] = ear_scale(input[i] + params->input_offset, params->multiplier, params->shift);
    }
}
