#include "ear_kernels_functions.h"

#include "ear_broadcast.h"
#include "ear_requantize.h"

static inline int16_t value_of(const ear_prelu_t *params, int32_t input, int32_t alpha)
{
    const int32_t value = input + params->input_offset;
    if (value >= 0) {
        return (int16_t)ear_scale_to(value, params->multiplier, params->shift,
                                     params->output_offset, INT16_MIN, INT16_MAX);
    }
    return (int16_t)ear_scale_to(value * (alpha + params->alpha_offset), params->below_multiplier,
                                 params->below_shift, params->output_offset, INT16_MIN, INT16_MAX);
}

void ear_prelu_s16(const ear_prelu_t *params, const ear_broadcast_t *shape, const int16_t *input,
                   const int8_t *alpha, int16_t *output)
{
    EAR_FOR_EACH_PAIR(shape, i, j) {
        *output++ = value_of(params, input[i], alpha[j]);
    }
}
