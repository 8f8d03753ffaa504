#include "ear_kernels.h"

#include "ear_requantize.h"
#include "ear_softmax.h"

void ear_softmax_s8_s16(const ear_softmax_t *params, const int8_t *input, int16_t *output)
{
    for (int32_t row = 0; row < params->rows; ++row) {
        const int8_t largest = ear_softmax_largest(input, params->depth);
        const ear_softmax_scale_t scale = ear_softmax_scale(params, input, largest);
        for (int32_t i = 0; i < params->depth; ++i) {
            const int32_t part = ear_softmax_probability(params, scale, largest - input[i], 16);
            output[i] = (int16_t)ear_clamp(part + INT16_MIN, INT16_MIN, INT16_MAX);
        }
        input += params->depth;
        output += params->depth;
    }
}
