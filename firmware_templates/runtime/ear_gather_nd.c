#include "ear_kernels_move.h"

#include <string.h>

void ear_gather_nd(const ear_gather_nd_t *params, const int32_t *indices, const void *input,
                   void *output)
{
    const size_t bytes = (size_t)params->bytes;
    uint8_t *to = output;
    for (int32_t i = 0; i < params->slices; ++i, to += bytes) {
        uint32_t slice = 0; /* wraps as the reference does */
        for (int32_t k = 0; k < params->depth; ++k) {
            slice += (uint32_t)*indices++ * (uint32_t)params->stride[k];
        }
        const uint32_t last = (uint32_t)params->last;
        memcpy(to, (const uint8_t *)input + (slice > last ? last : slice) * bytes, bytes);
    }
}
