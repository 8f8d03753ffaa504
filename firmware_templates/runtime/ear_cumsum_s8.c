#include "ear_kernels_reduce.h"

#include "ear_requantize.h"

/* Bits below the point of a sum, of which one is lost to the common scale of the reference. */
enum { FRACTION_BITS = 19 };

static int8_t scaled(const ear_cumsum_t *params, uint32_t sum)
{
    const int32_t value =
        ear_scale_down((int32_t)sum, params->output_multiplier, params->output_shift);
    return (int8_t)ear_clamp(value + params->output_offset, INT8_MIN, INT8_MAX);
}

void ear_cumsum_s8(const ear_cumsum_t *params, const int8_t *input, int8_t *output)
{
    for (int32_t outer = 0; outer < params->outer; ++outer) {
        for (int32_t i = 0; i < params->inner; ++i) {
            int32_t at = outer * params->size * params->inner + params->start + i;
            /* The reference begins at the input's zero point too. */
            uint32_t sum = (uint32_t)params->input_offset << FRACTION_BITS;
            for (int32_t k = 0; k < params->size; ++k, at += params->step) {
                const uint32_t before = sum;
                sum += (uint32_t)(params->input_offset + input[at]) << FRACTION_BITS;
                output[at] = scaled(params, params->exclusive ? before : sum);
            }
        }
    }
}
