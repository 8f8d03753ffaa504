/* Where the taps of a transposed convolution meet its input. */
#ifndef EAR_TRANSPOSE_TAPS_H
#define EAR_TRANSPOSE_TAPS_H

#include "ear.h"

/* Taps along one axis: first, first + stride, ... up to last; none where last < first. Tap t meets
 * input (at - t) / stride. */
typedef struct {
    int32_t at;
    int32_t first;
    int32_t last;
} ear_transpose_taps_t;

/* The taps of output `position` that meet one of `size` inputs. */
static inline ear_transpose_taps_t ear_transpose_taps(int32_t position, int32_t pad, int32_t stride,
                                                      int32_t taps, int32_t size)
{
    const int32_t at = position + pad;
    const int32_t first = at % stride;
    const int32_t least = at - (size - 1) * stride; /* differs from `first` by whole strides */
    const ear_transpose_taps_t found = {at, first > least ? first : least,
                                        at < taps - 1 ? at : taps - 1};
    return found;
}

#endif
