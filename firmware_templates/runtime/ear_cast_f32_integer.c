#include "ear_cast.h"
#include "ear_kernels_arithmetic.h"

static inline uint32_t truncated(float x, bool is_signed)
{
    const float high = is_signed ? 2147483648.0f : 4294967296.0f;
    const float low = is_signed ? -2147483648.0f : 0.0f;
    if (!(x > low)) { /* not-a-number too */
        return x <= low && is_signed ? (uint32_t)INT32_MIN : 0;
    }
    if (x >= high) {
        return is_signed ? (uint32_t)INT32_MAX : UINT32_MAX;
    }
    return is_signed ? (uint32_t)(int32_t)x : (uint32_t)x;
}

void ear_cast_f32_integer(const ear_cast_t *params, const float *input, void *output)
{
    for (int32_t i = 0; i < params->count; ++i) {
        ear_cast_store(params, output, i, truncated(input[i], params->output_signed != 0));
    }
}
