#include "ear_kernels_functions.h"

#include "ear_requantize.h"

void ear_abs_s16(const ear_rescale_t *params, const int16_t *input, int16_t *output)
{
    for (int32_t i = 0; i < params->count; ++i) {
        const int32_t size = input[i] < 0 ? -input[i] : input[i];
        output[i] = (int16_t)ear_scale_to(size, params->multiplier, params->shift, 0, INT16_MIN,
                                          INT16_MAX);
    }
}
