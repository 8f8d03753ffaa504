#include "ear_kernels_s16.h"

#include "ear_sigmoid_s16.h"

/* tanh(x) is 2 * sigmoid(2x) - 1: the doubled argument has one bit less to a table entry. */
#define BITS 8
#define MOST 0xffff

void ear_tanh_s16(const ear_sigmoid_s16_t *params, const int16_t *input, int16_t *output)
{
    for (int32_t i = 0; i < params->count; ++i) {
        const int32_t at = ear_sigmoid_input_s16(params, input[i]);
        const int32_t one = 1 << (15 + BITS);
        const int32_t half = 1 << (BITS - 1);
        const int32_t result = at >= 0 ? ear_sigmoid_s16(params, at, BITS, MOST) - one + half
                                       : one - ear_sigmoid_s16(params, -at, BITS, MOST) + half - 1;
        output[i] = (int16_t)(result >> BITS);
    }
}
