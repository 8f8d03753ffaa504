#include "ear_kernels.h"

#include <string.h>

void ear_concatenation(const ear_concatenation_t *params, const void *const *inputs, void *output)
{
    uint8_t *to = output;
    for (int32_t row = 0; row < params->rows; ++row) {
        for (int32_t i = 0; i < params->inputs; ++i) {
            const size_t bytes = (size_t)params->row_bytes[i];
            memcpy(to, (const uint8_t *)inputs[i] + (size_t)row * bytes, bytes);
            to += bytes;
        }
    }
}
