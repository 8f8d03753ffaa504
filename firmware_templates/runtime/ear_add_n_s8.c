#include "ear_kernels_arithmetic.h"
#include "ear_requantize.h"

/* Bits added below the point; half the scale, which two inputs would have in common, takes one. */
#define EXTRA_BITS 19

void ear_add_n_s8(const ear_add_n_t *params, const int8_t *const *inputs, int8_t *output)
{
    for (int32_t i = 0; i < params->count; ++i) {
        /* upstream begins with a quantized 0 less the zero point, not with the zero */
        int32_t sum = params->input_offset;
        for (int32_t k = 0; k < params->inputs; ++k) {
            sum += inputs[k][i] + params->input_offset;
        }
        *output++ = (int8_t)ear_scale_to(sum * (1 << EXTRA_BITS), params->output_multiplier,
                                         params->output_shift, params->output_offset, INT8_MIN,
                                         INT8_MAX);
    }
}
