/* Runs a generated model three times on each of three inputs, so that a sanitizer may look on. */
#include "ear_model.h"

#include <stdio.h>
#include <string.h>

static bool watch(void *user, uint32_t layer, const void *output)
{
    const uint8_t *bytes = output;
    uint32_t *sum = user;
    for (uint32_t i = 0; i < ear_model_info.layers[layer].bytes; ++i) {
        *sum += bytes[i];
    }
    return false;
}

int main(void)
{
    static const int patterns[] = {0, 0x80, 0x7F};
    uint32_t sum = 0;
    const ear_observer_t observer = {.after_layer = watch, .user = &sum};
    if (ear_model_init() != EAR_OK) {
        return 1;
    }
    for (uint32_t i = 0; i < 9; ++i) {
        if (i % 3u == 0) {
            ear_model_reset();
        }
        memset(ear_model_input(), patterns[i / 3u], ear_model_info.input.bytes);
        if (ear_model_invoke(&observer) != EAR_OK) {
            return 1;
        }
    }
    printf("%u\n", (unsigned)sum);
    return 0;
}
