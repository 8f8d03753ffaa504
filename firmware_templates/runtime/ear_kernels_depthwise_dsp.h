/* Depthwise convolution for cores with the DSP extension; it gives the same bits on all others. */
#ifndef EAR_KERNELS_DEPTHWISE_DSP_H
#define EAR_KERNELS_DEPTHWISE_DSP_H

#include "ear_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* DEPTHWISE_CONV_2D of depth multiplier 1 without dilation: 3 x 3 with strides of 1, or a filter as
 * wide as the plane, so that outputs are one column. It works by planes: all that the filter meets of
 * one input channel, padding included, as int16. Two adjacent rows are a row of pairs. */
typedef struct {
    int32_t padding;       /* the zero point of the input */
    int32_t output_offset; /* the zero point of the output */
    int32_t output_min;
    int32_t output_max;
    int32_t pad_h;
    int32_t pad_w;
    int32_t rows;      /* of the input that the filter meets, from the first on */
    int32_t columns;
    int32_t pair_rows; /* of a plane */
    int32_t width;     /* of a plane */
    int32_t taps_h;    /* rows of pairs under the filter */
    int32_t second;    /* rows of pairs from an output row to the next; 0 where strides are 1 */
    int32_t step;      /* rows of pairs from two output rows to the next two */
    bool positive;     /* output_min >= output_offset: results below it need no exact rounding */
} ear_depthwise_dsp_t;

/* Shifts are -20 to -1. bias is that of the layer minus the zero point of the input times the sum
 * of the channel's weights; twice the sum of products and bias fits int32. Scratch for planes is
 * 8 bytes times pair_rows * width, and 8 more times taps_h * width of the filter; that for weights
 * comes behind. May work in place where input and output have one shape. */
void ear_depthwise_conv2d_s8_dsp(const ear_depthwise_dsp_t *params, const ear_scales_t *scales,
                                 const ear_dims_t *input_dims, const int8_t *input,
                                 const ear_dims_t *filter_dims, const ear_weights_t *filter,
                                 void *scratch, const int32_t *bias,
                                 const ear_dims_t *output_dims, int8_t *output);

#ifdef __cplusplus
}
#endif

#endif
