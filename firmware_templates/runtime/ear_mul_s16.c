#include "ear_kernels_s16.h"

#include "ear_requantize.h"

static inline int16_t product_of(const ear_mul_t *params, int32_t value1, int32_t value2)
{
    return (int16_t)ear_scale_to(value1 * value2, params->output_multiplier, params->output_shift,
                                 0, params->output_min, params->output_max);
}

void ear_mul_s16(const ear_mul_t *params, const ear_broadcast_t *shape, const int16_t *input1,
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
                    *output++ = product_of(params, *value1, *value2);
                    value1 += shape->stride1[3];
                    value2 += shape->stride2[3];
                }
            }
        }
    }
}
