#include "ear_kernels_products.h"

#include "ear_requantize.h"

static int32_t dot(const ear_batch_matmul_t *params, const int8_t *left, const int8_t *right)
{
    int32_t sum = 0;
    for (int32_t k = 0; k < params->depth; ++k) {
        sum += (left[k * params->left_depth_stride] + params->left_offset) *
               (right[k * params->right_depth_stride] + params->right_offset);
    }
    return sum;
}

static void multiply(const ear_batch_matmul_t *params, const int8_t *left, const int8_t *right,
                     int8_t *output)
{
    for (int32_t row = 0; row < params->rows; ++row) {
        for (int32_t column = 0; column < params->columns; ++column) {
            const int32_t sum = dot(params, left + row * params->left_row_stride,
                                    right + column * params->right_column_stride);
            output[row * params->columns + column] =
                (int8_t)ear_scale_to(sum, params->multiplier, params->shift,
                                     params->output_offset, INT8_MIN, INT8_MAX);
        }
    }
}

void ear_batch_matmul_s8(const ear_batch_matmul_t *params, const int8_t *left,
                         const int8_t *right, int8_t *output)
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
