/* Kernels in the layouts of cores with MVE. What ear_kernels.h says of all kernels holds here too.
 *
 * Scales have one entry for each output channel, with shifts of -31 to 0. bias has the input's
 * offset in it: bias[o] + input_offset * (sum of the weights of o), which wraps.
 */
#ifndef EAR_KERNELS_MVE_H
#define EAR_KERNELS_MVE_H

#include "ear_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* CONV_2D of one group of channels, and FULLY_CONNECTED as one of 1 x 1. The weights of an output
 * channel are n, those of the filter rounded up to a multiple of 16, with any values behind the
 * last one. columns_bytes is 2 n, scratch before that for weights; or 0 for a filter of 1 x 1 and
 * one position, whose n values of input are read where they are. With columns, a filter of 1 x 1
 * and strides of 1, weights of one block and no more output than input channels, the output may
 * be at the address of the input. */
void ear_conv2d_s8_mve(const ear_conv_t *params, const ear_scales_t *scales,
                       const ear_dims_t *input_dims, const int8_t *input,
                       const ear_dims_t *filter_dims, const ear_weights_t *filter,
                       int8_t *scratch, const int32_t *bias, const ear_dims_t *output_dims,
                       int8_t *output);

/* DEPTHWISE_CONV_2D of a depth multiplier of 1. Scratch, aligned to 4 bytes, has two int32 for each
 * tap before what the weights need; bias has entries for channels rounded up to a multiple of 8. */
void ear_depthwise_conv2d_s8_mve(const ear_conv_t *params, const ear_scales_t *scales,
                                 const ear_dims_t *input_dims, const int8_t *input,
                                 const ear_dims_t *filter_dims, const ear_weights_t *filter,
                                 int8_t *scratch, const int32_t *bias,
                                 const ear_dims_t *output_dims, int8_t *output);

#ifdef __cplusplus
}
#endif

#endif
