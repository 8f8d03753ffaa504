#include "ear_kernels.h"

#include "ear_broadcast.h"
#include "ear_requantize.h"

static inline int8_t product_of(const ear_mul_t *params, int32_t value1, int32_t value2)
{
    const int32_t product = (value1 + params->input1_offset) * (value2 + params->input2_offset);
    return (int8_t)ear_scale_to(product, params->output_multiplier, params->output_shift,
                                params->output_offset, params->output_min, params->output_max);
}

void ear_mul_s8(const ear_mul_t *params, const ear_broadcast_t *shape, const int8_t *input1,
                const int8_t *input2, int8_t *output)
{
    EAR_FOR_EACH_PAIR(shape, i, j) {
        *output++ = product_of(params, input1[i], input2[j]);
    }
}
