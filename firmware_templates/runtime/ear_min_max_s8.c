#include "ear_broadcast.h"
#include "ear_kernels_arithmetic.h"

void ear_min_max_s8(const ear_min_max_t *params, const ear_broadcast_t *shape,
                    const int8_t *input1, const int8_t *input2, int8_t *output)
{
    EAR_FOR_EACH_PAIR(shape, i, j) {
        const int8_t a = input1[i];
        const int8_t b = input2[j];
        *output++ = (a > b) == (params->maximum != 0) ? a : b;
    }
}
