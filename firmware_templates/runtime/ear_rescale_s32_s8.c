#include "ear_kernels.h"

#include "ear_requantize.h"

void ear_rescale_s32_s8(const ear_rescale_t *params, const int32_t *input, int8_t *output)
{
    for (int32_t i = 0; i < params->count; ++i) {
        output[i] = (int8_t)ear_scale_to(input[i], params->multiplier, params->shift,
                                         params->output_offset, INT8_MIN, INT8_MAX);
    }
}
