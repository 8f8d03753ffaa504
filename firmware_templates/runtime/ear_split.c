#include "ear_kernels_move.h"

#include <string.h>

void ear_split(const ear_split_t *params, const void *input, void *const *outputs)
{
    const uint8_t *from = input;
    for (int32_t row = 0; row < params->rows; ++row) {
        for (int32_t i = 0; i < params->outputs; ++i) {
            const size_t bytes = (size_t)params->row_bytes[i];
            memcpy((uint8_t *)outputs[i] + (size_t)row * bytes, from, bytes);
            from += bytes;
        }
    }
}
