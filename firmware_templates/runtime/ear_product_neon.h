/* Products of weights and what lies under them, at one to four output positions. */
#ifndef EAR_PRODUCT_NEON_H
#define EAR_PRODUCT_NEON_H

#include "ear_kernels_neon.h"

#define EAR_NEON_COLUMNS 4

/* Output channels first to end - 1, whose weights are [channels][depth], depth a multiple of 16.
 * There are 1 or EAR_NEON_COLUMNS columns of depth inputs each. */
typedef struct {
    const ear_ends_neon_t *ends;
    const int8_t *weights;
    int32_t depth;
    int32_t first;
    int32_t end;
} ear_product_neon_t;

/* Outputs of position p go to output + p * stride + first and behind it. count is 1 to 4: columns
 * that are not there are not read, and nothing is written for them. `first` is a multiple of 4. */
void ear_product_neon_s8(const ear_product_neon_t *product, const int8_t *const columns[],
                         int32_t count, int8_t *output, int32_t stride);

#endif
