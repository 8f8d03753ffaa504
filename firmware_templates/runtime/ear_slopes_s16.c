#include "ear_kernels_s16.h"

#include "ear_requantize.h"

void ear_slopes_s16(const ear_slopes_t *params, const int16_t *input, int16_t *output)
{
    for (int32_t i = 0; i < params->count; ++i) {
        const int32_t scaled =
            input[i] >= 0 ? ear_scale(input[i], params->multiplier, params->shift)
                          : params->below_sign * ear_scale(input[i], params->below_multiplier,
                                                           params->below_shift);
        output[i] = (int16_t)ear_clamp(scaled, params->output_min, params->output_max);
    }
}
