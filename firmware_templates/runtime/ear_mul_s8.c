#include "ear_kernels.h"

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
    for (int32_t a = 0; a < shape->size[0]; ++a) {
        for (int32_t b = 0; b < shape->size[1]; ++b) {
            for (int32_t c = 0; c < shape->size[2]; ++c) {
                const int8_t *value1 = input1 + a * shape->stride1[0] + b * shape->stride1[1] +
                                       c * shape->stride1[2];
                const int8_t *value2 = input2 + a * shape->stride2[0] + b * shape->stride2[1] +
                                       c * shape->stride2[2];
                for (int32_t d = 0; d < shape->size[3]; ++d) {
                    *output++ = product_of(params, *value1, *value2);
                    value1 += shape->stride1[3];
                    value2 += shape->stride2[3];
                }
            }
        }
    }
}
