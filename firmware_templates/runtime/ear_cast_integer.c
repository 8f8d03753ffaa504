#include "ear_cast.h"
#include "ear_kernels_arithmetic.h"

void ear_cast_integer(const ear_cast_t *params, const void *input, void *output)
{
    for (int32_t i = 0; i < params->count; ++i) {
        ear_cast_store(params, output, i, ear_cast_load(params, input, i));
    }
}
