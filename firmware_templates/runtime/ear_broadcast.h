/* The loop over two tensors that are broadcast against each other. */
#ifndef EAR_BROADCAST_H
#define EAR_BROADCAST_H

#include "ear_kernels.h"

#define EAR_BROADCAST_LAST 5 /* the innermost dimension */

typedef struct {
    int32_t index[EAR_BROADCAST_LAST]; /* in the outer dimensions */
    int32_t offset1;
    int32_t offset2;
    bool done;
} ear_broadcast_row_t;

/* Go to the next row along the innermost dimension, or find that there is none. */
static inline void ear_broadcast_next(const ear_broadcast_t *shape, ear_broadcast_row_t *row)
{
    for (int32_t d = EAR_BROADCAST_LAST - 1; d >= 0; --d) {
        row->offset1 += shape->stride1[d];
        row->offset2 += shape->stride2[d];
        if (++row->index[d] < shape->size[d]) {
            return;
        }
        row->offset1 -= shape->size[d] * shape->stride1[d];
        row->offset2 -= shape->size[d] * shape->stride2[d];
        row->index[d] = 0;
    }
    row->done = true;
}

/* For each element of the output in turn, the next statement with i and j, the indices of its
 * elements in both inputs. */
#define EAR_FOR_EACH_PAIR(shape, i, j)                                                        \
    for (ear_broadcast_row_t row = {{0}, 0, 0, false}; !row.done;                            \
         ear_broadcast_next(shape, &row))                                                     \
        for (int32_t i = row.offset1, j = row.offset2,                                       \
                     left = (shape)->size[EAR_BROADCAST_LAST];                               \
             left > 0; --left, i += (shape)->stride1[EAR_BROADCAST_LAST],                    \
                     j += (shape)->stride2[EAR_BROADCAST_LAST])

#endif
