#include "ear_kernels_reduce.h"

void ear_arg_extreme_s8(const ear_arg_extreme_t *params, const int8_t *input, int32_t *output)
{
    const int32_t inner = params->inner;
    for (int32_t outer = 0; outer < params->outer; ++outer, input += params->size * inner) {
        for (int32_t i = 0; i < inner; ++i) {
            int32_t best = 0;
            for (int32_t k = 1; k < params->size; ++k) {
                const int8_t value = input[k * inner + i];
                const int8_t other = input[best * inner + i];
                best = (params->largest ? value > other : value < other) ? k : best;
            }
            *output++ = best;
        }
    }
}
