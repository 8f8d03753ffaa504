#include "ear_broadcast.h"
#include "ear_kernels_arithmetic.h"
#include "ear_requantize.h"

void ear_add_s32(const ear_range_s32_t *params, const ear_broadcast_t *shape,
                 const int32_t *input1, const int32_t *input2, int32_t *output)
{
    EAR_FOR_EACH_PAIR(shape, i, j) {
        const uint32_t result = (uint32_t)input1[i] + (uint32_t)input2[j];
        *output++ = ear_clamp((int32_t)result, params->output_min, params->output_max);
    }
}
