#include "ear_kernels_move.h"

#include <string.h>

void ear_copy_block(int32_t from, int32_t bytes, const void *input, void *output)
{
    memcpy(output, (const uint8_t *)input + from, (size_t)bytes);
}
