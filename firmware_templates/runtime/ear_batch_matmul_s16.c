#include "ear_kernels_products.h"

#include "ear_requantize.h"

static int64_t dot(const ear_batch_matmul_t *params, const int16_t *left, const int16_t *right)
{
    int64_t sum = 0;
    for (int32_t k = 0; k < params->depth; ++k) {
        sum += left[k * params->left_depth_stride] * right[k * params->right_depth_stride];
    }
    return sum;
}

static void multiply(const ear_batch_matmul_t *params, const int16_t *left, const int16_t *right,
                     int16_t *output)
{
    for (int32_t row = 0; row < params->rows; ++row) {
        for (int32_t column = 0; column < params->columns; ++column) {
            const int64_t sum = dot(params, left + row * params->left_row_stride,
                                    right + column * params->right_column_stride);
            const int64_t half = (int64_t)1 << (params->shift - 1);
            /* What exceeds int32 wraps, as in the reference. */
            const int32_t scaled = (int32_t)((sum * params->multiplier + half) >> params->shift);
            output[row * params->columns + column] =
                (int16_t)ear_clamp(scaled, INT16_MIN, INT16_MAX);
        }
    }
}

void ear_batch_matmul_s16(const ear_batch_matmul_t *params, const int16_t *left,
                         const int16_t *right, int16_t *output)
{
    const int32_t *const of_left = params->left_batch_stride;
    const int32_t *const of_right = params->right_batch_stride;
    for (int32_t a = 0; a < params->batches[0]; ++a) {
        for (int32_t b = 0; b < params->batches[1]; ++b) {
            for (int32_t c = 0; c < params->batches[2]; ++c) {
                multiply(params, left + a * of_left[0] + b * of_left[1] + c * of_left[2],
                         right + a * of_right[0] + b * of_right[1] + c * of_right[2], output);
                output += params->rows * params->columns;
            }
        }
    }
}
