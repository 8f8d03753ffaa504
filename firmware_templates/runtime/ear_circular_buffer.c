#include "ear_kernels_move.h"

#include <string.h>

void ear_circular_buffer(int32_t slot_bytes, int32_t bytes, const void *input, void *output)
{
    uint8_t *slots = output;
    const size_t kept = (size_t)(bytes - slot_bytes);
    memmove(slots, slots + slot_bytes, kept);
    memcpy(slots + kept, input, (size_t)slot_bytes);
}
