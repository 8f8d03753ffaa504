#include "ear_kernels_move.h"

#include <string.h>

#include "ear_walk.h"

void ear_select(const ear_select_t *params, const uint8_t *condition, const void *chosen,
                const void *other, void *output)
{
    enum { CONDITION, CHOSEN, OTHER, INPUTS };
    const size_t bytes = (size_t)params->bytes;
    int32_t turn[EAR_MOVE_LOOPS] = {0};
    int32_t at[INPUTS] = {0};
    uint8_t *to = output;
    do {
        const uint8_t *from = condition[at[CONDITION]] != 0
                                  ? (const uint8_t *)chosen + at[CHOSEN]
                                  : (const uint8_t *)other + at[OTHER];
        memcpy(to, from, bytes);
        to += bytes;
    } while (ear_walk(params->loop, params->loops, INPUTS, turn, at));
}
