#include <string.h>

#include "ear_weights.h"

void ear_weights_runs8(const ear_weights_t *weights, int32_t unit, int32_t count, int8_t *values)
{
    const uint32_t *const places = weights->data;
    const uint8_t *token = (const uint8_t *)weights->data + places[unit];
    memset(values, 0, (size_t)count);
    for (int32_t at = 0; at < count; ++at, token += 2) {
        at += token[0];
        if (at < count) {
            values[at] = (int8_t)token[1];
        }
    }
}
