#include "ear_kernels.h"

void ear_lookup_u8(const uint8_t *table, int32_t count, const uint8_t *input, uint8_t *output)
{
    for (int32_t i = 0; i < count; ++i) {
        output[i] = table[input[i]];
    }
}
