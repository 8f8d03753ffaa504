#include "ear_kernels_move.h"

#include <string.h>

/* The start index of a dimension, from where the update fits to the tensor's end. */
static int32_t start_of(const ear_update_slice_t *params, const void *starts, int32_t dim)
{
    const int64_t wanted =
        params->wide ? ((const int64_t *)starts)[dim] : ((const int32_t *)starts)[dim];
    const int32_t last = params->dim[2 * dim];
    return wanted < 0 ? 0 : wanted > last ? last : (int32_t)wanted;
}

void ear_update_slice(const ear_update_slice_t *params, const ear_copy_t *copy,
                      const void *starts, const void *input, const void *update, void *output)
{
    int32_t to = 0;
    for (int32_t dim = 0; dim < params->dims; ++dim) {
        to += start_of(params, starts, dim) * params->dim[2 * dim + 1];
    }
    memcpy(output, input, (size_t)params->bytes);
    ear_copy(copy, update, (uint8_t *)output + to);
}
