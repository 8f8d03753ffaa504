#include "ear_kernels_move.h"

#include <string.h>

void ear_fill(int32_t bytes, int32_t count, const void *value, void *output)
{
    uint8_t *to = output;
    if (bytes == 1) {
        memset(to, *(const uint8_t *)value, (size_t)count);
        return;
    }
    for (int32_t i = 0; i < count; ++i, to += bytes) {
        memcpy(to, value, (size_t)bytes);
    }
}
