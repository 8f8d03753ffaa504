/* Kernels of sums of products beyond convolution: TRANSPOSE_CONV and BATCH_MATMUL.
 *
 * What ear_kernels.h and ear_kernels_s16.h say of all kernels holds here too.
 */
#ifndef EAR_KERNELS_PRODUCTS_H
#define EAR_KERNELS_PRODUCTS_H

#include "ear_kernels.h"
#include "ear_kernels_s16.h"

#ifdef __cplusplus
extern "C" {
#endif

/* TRANSPOSE_CONV: output[n, y, x, o] = scale(bias[o] + sum of filter[o, fy, fx, ..] *
 * (input[n, iy, ix, ..] + input_offset)), over all taps with iy * stride_h + fy = y + pad_h and
 * ix * stride_w + fx = x + pad_w. Dilations are not read. */
void ear_transpose_conv_s8(const ear_conv_t *params, const ear_scales_t *scales,
                           const ear_dims_t *input_dims, const int8_t *input,
                           const ear_dims_t *filter_dims, const ear_weights_t *filter,
                           int8_t *scratch, const int32_t *bias, const ear_dims_t *output_dims,
                           int8_t *output);

void ear_transpose_conv_s16(const ear_conv_t *params, const ear_channels_s16_t *channels,
                            const ear_dims_t *input_dims, const int16_t *input,
                            const ear_dims_t *filter_dims, const ear_weights_t *filter,
                            int8_t *scratch, const ear_dims_t *output_dims, int16_t *output);

/* BATCH_MATMUL: for each batch, output[row, column] = scale(sum over k of
 * (left[row, k] + left_offset) * (right[k, column] + right_offset)). Strides are those of the
 * matrices in memory, of which either may be transposed; those of batches are 0 where a side is
 * repeated. Sums stay within int32, on int16 below 2^47. */
typedef struct {
    int32_t left_offset; /* minus the zero points; 0 on int16 */
    int32_t right_offset;
    int32_t output_offset;
    int32_t multiplier; /* on int16 a factor of one rounding, see ear_channels_s16_t */
    int32_t shift;
    int32_t batches[3];
    int32_t left_batch_stride[3];
    int32_t right_batch_stride[3];
    int32_t rows;
    int32_t columns;
    int32_t depth;
    int32_t left_row_stride;
    int32_t left_depth_stride;
    int32_t right_depth_stride;
    int32_t right_column_stride;
} ear_batch_matmul_t;

void ear_batch_matmul_s8(const ear_batch_matmul_t *params, const int8_t *left,
                         const int8_t *right, int8_t *output);
void ear_batch_matmul_s16(const ear_batch_matmul_t *params, const int16_t *left,
                          const int16_t *right, int16_t *output);

#ifdef __cplusplus
}
#endif

#endif
