#include "ear_broadcast.h"
#include "ear_kernels_arithmetic.h"
#include "ear_requantize.h"

/* Bits added below the point before both inputs are brought to one scale. */
#define EXTRA_BITS 8

void ear_compare_s8(const ear_compare_t *params, const ear_broadcast_t *shape,
                    const int8_t *input1, const int8_t *input2, uint8_t *output)
{
    EAR_FOR_EACH_PAIR(shape, i, j) {
        const int32_t value1 = (input1[i] + params->input1_offset) * (1 << EXTRA_BITS);
        const int32_t value2 = (input2[j] + params->input2_offset) * (1 << EXTRA_BITS);
        const int32_t a = ear_scale_down(value1, params->input1_multiplier, params->input1_shift);
        const int32_t b = ear_scale_down(value2, params->input2_multiplier, params->input2_shift);
        *output++ = (uint8_t)((params->accepted >> (1 + (a > b) - (a < b))) & 1);
    }
}
