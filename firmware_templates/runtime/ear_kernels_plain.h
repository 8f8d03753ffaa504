/* Kernels for cores without any instructions on more than one number at a time. */
#ifndef EAR_KERNELS_PLAIN_H
#define EAR_KERNELS_PLAIN_H

#include "ear_kernels.h"

/* As ear_conv2d_s8 of one group of channels, with two output positions in each product. `starts`
 * has for each channel, modulo 2^32, its bias + input_offset * (sum of its weights)
 * - EAR_PAIRS_RAISE for each two weights or part of two. Sums and scales are as ear_end_s8.h needs
 * them. Scratch begins with columns_bytes, 8 for each weight of a channel, and is aligned to 4
 * bytes. The output may begin where the input does if the filter is 1 x 1, strides are 1, there
 * are not more output than input channels, and weights are not packed. */
void ear_conv2d_pairs_s8(const ear_conv_t *params, const ear_scales_t *scales,
                         const ear_dims_t *input_dims, const int8_t *input,
                         const ear_dims_t *filter_dims, const ear_weights_t *filter,
                         int8_t *scratch, const int32_t *starts, const ear_dims_t *output_dims,
                         int8_t *output);

/* Makes the lower sum of two products of int8 positive: -128 * -128 twice still fits 16 bits. */
#define EAR_PAIRS_RAISE 32640

/* One axis of a depthwise convolution: sizes in elements, and steps in memory. */
typedef struct {
    int32_t input;
    int32_t input_step;
    int32_t filter;
    int32_t output;
    int32_t output_step;
    int32_t stride;
    int32_t dilation;
    int32_t pad;
    int32_t plane; /* what outputs made at once read, padding included */
} ear_plane_axis_t;

typedef struct {
    int32_t images;
    int32_t band; /* rows of the output made at once */
    int32_t channels;
    int32_t depth_multiplier;
    int32_t input_zero_point;
    int32_t output_zero_point;
    int32_t output_min;
    int32_t output_max;
    int32_t plane_bytes;
} ear_plane_t;

/* DEPTHWISE_CONV_2D, one channel after the other. Rows and columns may be those of the tensors or,
 * exchanged, columns and rows. filter is [channels][rows][columns]; `starts`
 * has for each channel, modulo 2^32, its bias - input zero point * (sum of its weights). Sums and
 * scales are as ear_end_s8.h needs them. Columns of the output are at least 4. Scratch begins with
 * plane_bytes. The output may begin
 * where the input does if the depth multiplier is 1, all rows are one band, and the output is not
 * larger than the input. */
void ear_depthwise_planes_s8(const ear_plane_t *params, const ear_plane_axis_t *rows,
                             const ear_plane_axis_t *columns, const ear_scales_t *scales,
                             const int8_t *input, const ear_weights_t *filter, int8_t *scratch,
                             const int32_t *starts, int8_t *output);

#endif
