#include "ear_kernels_state.h"

#include <string.h>

void ear_shift(int32_t from, int32_t bytes, void *window)
{
    memmove(window, (const uint8_t *)window + from, (size_t)bytes);
}
