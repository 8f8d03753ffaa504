#include "ear_kernels_s16.h"

#include "ear_broadcast.h"
#include "ear_requantize.h"

/* Bits added below the point before both inputs are brought to one scale. */
#define EXTRA_BITS 15

static inline int16_t sum_of(const ear_add_t *params, int32_t value1, int32_t value2)
{
    const int32_t scaled1 = ear_scale_down(value1 * (1 << EXTRA_BITS), params->input1_multiplier,
                                           params->input1_shift);
    const int32_t scaled2 = ear_scale_down(value2 * (1 << EXTRA_BITS), params->input2_multiplier,
                                           params->input2_shift);
    return (int16_t)ear_scale_to(scaled1 + params->sign * scaled2, params->output_multiplier,
                                 params->output_shift, 0, params->output_min, params->output_max);
}

void ear_add_s16(const ear_add_t *params, const ear_broadcast_t *shape, const int16_t *input1,
                 const int16_t *input2, int16_t *output)
{
    EAR_FOR_EACH_PAIR(shape, i, j) {
        *output++ = sum_of(params, input1[i], input2[j]);
    }
}
