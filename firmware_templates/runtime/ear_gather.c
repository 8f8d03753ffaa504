#include "ear_kernels_move.h"

#include <string.h>

void ear_gather(const ear_gather_t *params, const int32_t *indices, const void *input,
                void *output)
{
    const size_t bytes = (size_t)params->bytes;
    const uint8_t *from = input;
    uint8_t *to = output;
    for (int32_t batch = 0; batch < params->batches; ++batch, indices += params->indices) {
        for (int32_t outer = 0; outer < params->outer; ++outer) {
            for (int32_t i = 0; i < params->indices; ++i, to += bytes) {
                const int32_t last = params->size - 1;
                const int32_t index = indices[i] < 0 ? 0 : indices[i] > last ? last : indices[i];
                memcpy(to, from + (size_t)index * bytes, bytes);
            }
            from += (size_t)params->size * bytes;
        }
    }
}
