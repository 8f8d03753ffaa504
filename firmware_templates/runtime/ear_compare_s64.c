#include "ear_broadcast.h"
#include "ear_kernels_arithmetic.h"

void ear_compare_s64(const ear_compare_t *params, const ear_broadcast_t *shape,
                     const int64_t *input1, const int64_t *input2, uint8_t *output)
{
    EAR_FOR_EACH_PAIR(shape, i, j) {
        const int64_t a = input1[i];
        const int64_t b = input2[j];
        *output++ = (uint8_t)((params->accepted >> (1 + (a > b) - (a < b))) & 1);
    }
}
