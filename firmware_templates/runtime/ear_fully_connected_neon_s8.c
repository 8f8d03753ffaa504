#include "ear_kernels_neon.h"

#include <string.h>

#include "ear_product_neon.h"

/* The units of a block for `count` rows, which are copied to `columns` unless that is NULL. */
static void rows(const ear_fully_connected_t *params, const ear_product_neon_t *product,
                 const int8_t *input, int32_t count, int8_t *columns, int8_t *output)
{
    const int8_t *from[EAR_NEON_COLUMNS] = {input, input, input, input};
    for (int32_t i = 0; i < count; ++i) {
        from[i] = input + i * params->depth;
        if (columns != NULL) {
            int8_t *const column = columns + i * product->depth;
            memcpy(column, from[i], (size_t)params->depth);
            memset(column + params->depth, 0, (size_t)(product->depth - params->depth));
            from[i] = column;
        }
    }
    ear_product_neon_s8(product, from, count, output, params->units);
}

void ear_fully_connected_neon_s8(const ear_fully_connected_t *params,
                                 const ear_ends_neon_t *ends, const int8_t *input,
                                 const ear_weights_t *filter, int8_t *scratch, int8_t *output)
{
    const int32_t step = ear_weights_block(filter, params->units);
    ear_product_neon_t product = {.ends = ends, .depth = (params->depth + 15) / 16 * 16};
    int8_t *const columns = product.depth != params->depth ? scratch : NULL;
    if (columns != NULL) {
        scratch += EAR_NEON_COLUMNS * product.depth;
    }
    for (; product.first < params->units; product.first = product.end) {
        const int32_t left = params->units - product.first;
        product.end = product.first + (left < step ? left : step);
        product.weights = ear_weights_rows(filter, product.depth, product.first,
                                           product.end - product.first, scratch);
        for (int32_t row = 0; row < params->rows; row += EAR_NEON_COLUMNS) {
            const int32_t more = params->rows - row;
            rows(params, &product, input + row * params->depth,
                 more < EAR_NEON_COLUMNS ? more : EAR_NEON_COLUMNS, columns,
                 output + row * params->units);
        }
    }
}
