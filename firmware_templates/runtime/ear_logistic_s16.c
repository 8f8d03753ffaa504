#include "ear_kernels_s16.h"

#include "ear_sigmoid_s16.h"

/* Steps of 1/12288 are 512 to a table entry. */
#define BITS 9
#define MOST 0xfffe

void ear_logistic_s16(const ear_sigmoid_s16_t *params, const int16_t *input, int16_t *output)
{
    for (int32_t i = 0; i < params->count; ++i) {
        const int32_t at = ear_sigmoid_input_s16(params, input[i]);
        const int32_t half = 1 << BITS;
        /* 1 - sigmoid(-x), less the smallest step so that both sides round alike. */
        const int32_t result =
            at >= 0 ? ear_sigmoid_s16(params, at, BITS, MOST) + half
                    : (1 << (16 + BITS)) - ear_sigmoid_s16(params, -at, BITS, MOST) + half - 1;
        output[i] = (int16_t)(result >> (BITS + 1));
    }
}
