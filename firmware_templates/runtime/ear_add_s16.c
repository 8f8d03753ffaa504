#include "ear_kernels_s16.h"

#include "ear_requantize.h"

/* Bits added below the point before both inputs are brought to one scale. */
#define EXTRA_BITS 15

static inline int32_t to_common_scale(int32_t value, int32_t multiplier, int32_t shift)
{
    return ear_divide_by_power(ear_multiply_high(value * (1 << EXTRA_BITS), multiplier), -shift);
}

static inline int16_t sum_of(const ear_add_t *params, int32_t value1, int32_t value2)
{
    const int32_t scaled1 =
        to_common_scale(value1, params->input1_multiplier, params->input1_shift);
    const int32_t scaled2 =
        to_common_scale(value2, params->input2_multiplier, params->input2_shift);
    return (int16_t)ear_scale_to(scaled1 + params->sign * scaled2, params->output_multiplier,
                                 params->output_shift, 0, params->output_min, params->output_max);
}

void ear_add_s16(const ear_add_t *params, const ear_broadcast_t *shape, const int16_t *input1,
                 const int16_t *input2, int16_t *output)
{
    for (int32_t a = 0; a < shape->size[0]; ++a) {
        for (int32_t b = 0; b < shape->size[1]; ++b) {
            for (int32_t c = 0; c < shape->size[2]; ++c) {
                const int16_t *value1 = input1 + a * shape->stride1[0] + b * shape->stride1[1] +
                                        c * shape->stride1[2];
                const int16_t *value2 = input2 + a * shape->stride2[0] + b * shape->stride2[1] +
                                        c * shape->stride2[2];
                for (int32_t d = 0; d < shape->size[3]; ++d) {
                    *output++ = sum_of(params, *value1, *value2);
                    value1 += shape->stride1[3];
                    value2 += shape->stride2[3];
                }
            }
        }
    }
}
