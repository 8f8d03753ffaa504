#include "ear_kernels_move.h"

#include <string.h>

void ear_resize_nearest(const ear_resize_nearest_t *params, const void *input, void *output)
{
    const size_t bytes = (size_t)params->bytes;
    const uint8_t *from = input;
    uint8_t *to = output;
    for (int32_t batch = 0; batch < params->batches; ++batch, from += params->batch_bytes) {
        for (int32_t y = 0; y < params->height; ++y) {
            for (int32_t x = 0; x < params->width; ++x, to += bytes) {
                memcpy(to, from + params->row[y] + params->column[x], bytes);
            }
        }
    }
}
