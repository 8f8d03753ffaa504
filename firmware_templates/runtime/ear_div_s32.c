#include "ear_broadcast.h"
#include "ear_kernels_arithmetic.h"
#include "ear_requantize.h"

static inline int32_t quotient(int32_t a, int32_t b)
{
    if (b == 0) {
        return 0;
    }
    return b == -1 ? (int32_t)(0u - (uint32_t)a) : a / b;
}

void ear_div_s32(const ear_range_s32_t *params, const ear_broadcast_t *shape,
                 const int32_t *input1, const int32_t *input2, int32_t *output)
{
    EAR_FOR_EACH_PAIR(shape, i, j) {
        *output++ = ear_clamp(quotient(input1[i], input2[j]), params->output_min,
                              params->output_max);
    }
}
