#include "ear_kernels.h"

#include "ear_requantize.h"

void ear_rescale_s32_s16(const ear_rescale_t *params, const int32_t *input, int16_t *output)
{
    for (int32_t i = 0; i < params->count; ++i) {
        output[i] = (int16_t)ear_scale_to(input[i], params->multiplier, params->shift,
                                          params->output_offset, INT16_MIN, INT16_MAX);
    }
}
