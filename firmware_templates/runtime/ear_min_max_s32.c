#include "ear_broadcast.h"
#include "ear_kernels_arithmetic.h"

void ear_min_max_s32(const ear_min_max_t *params, const ear_broadcast_t *shape,
                     const int32_t *input1, const int32_t *input2, int32_t *output)
{
    EAR_FOR_EACH_PAIR(shape, i, j) {
        const int32_t a = input1[i];
        const int32_t b = input2[j];
        *output++ = (a > b) == (params->maximum != 0) ? a : b;
    }
}
