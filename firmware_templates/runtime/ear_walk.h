/* Nested loops whose number is known at export only: how kernels walk tensors of any rank. */
#ifndef EAR_WALK_H
#define EAR_WALK_H

#include "ear.h"

/* Takes the innermost of `loops` loops one turn on, and those around it where it ends; returns
 * false once the outermost has ended. `loop` holds of each, outermost first, its turns, then what
 * a turn adds to each of `count` offsets. `turn` and the offsets are where they began again. */
static inline bool ear_walk(const int32_t *loop, int32_t loops, int32_t count, int32_t *turn,
                            int32_t *offset)
{
    for (int32_t i = loops - 1; i >= 0; --i) {
        const int32_t *fields = loop + i * (1 + count);
        const bool ends = ++turn[i] == fields[0];
        for (int32_t k = 0; k < count; ++k) {
            offset[k] += ends ? fields[1 + k] * (1 - fields[0]) : fields[1 + k];
        }
        if (!ends) {
            return true;
        }
        turn[i] = 0;
    }
    return false;
}

#endif
