#include "ear_broadcast.h"
#include "ear_kernels_arithmetic.h"

void ear_squared_difference_s32(const ear_broadcast_t *shape, const int32_t *input1,
                                const int32_t *input2, int32_t *output)
{
    EAR_FOR_EACH_PAIR(shape, i, j) {
        const uint32_t difference = (uint32_t)input1[i] - (uint32_t)input2[j];
        *output++ = (int32_t)(difference * difference);
    }
}
