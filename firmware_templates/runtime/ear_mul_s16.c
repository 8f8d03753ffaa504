#include "ear_kernels_s16.h"

#include "ear_broadcast.h"
#include "ear_requantize.h"

static inline int16_t product_of(const ear_mul_t *params, int32_t value1, int32_t value2)
{
    return (int16_t)ear_scale_to(value1 * value2, params->output_multiplier, params->output_shift,
                                 0, params->output_min, params->output_max);
}

void ear_mul_s16(const ear_mul_t *params, const ear_broadcast_t *shape, const int16_t *input1,
                 const int16_t *input2, int16_t *output)
{
    EAR_FOR_EACH_PAIR(shape, i, j) {
        *output++ = product_of(params, input1[i], input2[j]);
    }
}
