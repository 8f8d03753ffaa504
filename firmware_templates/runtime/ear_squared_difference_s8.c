#include "ear_broadcast.h"
#include "ear_kernels_arithmetic.h"
#include "ear_requantize.h"

/* Bits added below the point before both inputs are brought to one scale. */
#define EXTRA_BITS 7

static inline int8_t result_of(const ear_add_t *params, int32_t value1, int32_t value2)
{
    const int32_t scaled1 = ear_scale_down((value1 + params->input1_offset) * (1 << EXTRA_BITS),
                                           params->input1_multiplier, params->input1_shift);
    const int32_t scaled2 = ear_scale_down((value2 + params->input2_offset) * (1 << EXTRA_BITS),
                                           params->input2_multiplier, params->input2_shift);
    const int32_t difference = scaled1 - scaled2;
    return (int8_t)ear_scale_to(difference * difference, params->output_multiplier,
                                params->output_shift, params->output_offset, params->output_min,
                                params->output_max);
}

void ear_squared_difference_s8(const ear_add_t *params, const ear_broadcast_t *shape,
                               const int8_t *input1, const int8_t *input2, int8_t *output)
{
    EAR_FOR_EACH_PAIR(shape, i, j) {
        *output++ = result_of(params, input1[i], input2[j]);
    }
}
