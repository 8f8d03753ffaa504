/* Kernels: one layer of a model each, on int8 tensors in NHWC order.
 *
 * Every kernel gives the bits of TFLite-Micro's reference kernel for the same layer: 32-bit
 * accumulators, and gemmlowp's two roundings when they are scaled down (ear_requantize.h). All
 * parameters are computed at export, where shapes, ranges and accumulator overflow are checked
 * too; so the kernels check nothing, cannot fail, and return nothing.
 *
 * Common rules: sizes are in elements unless a name says bytes. No input overlaps an output,
 * except where a kernel says that it may work in place. The order of arguments is parameters,
 * quantization, input dims and data, weights with their scratch, output dims and data. Scratch is
 * for packed weights (ear_weights.h) and what a kernel says; NULL where there is nothing for it.
 */
#ifndef EAR_KERNELS_H
#define EAR_KERNELS_H

#include "ear.h"
#include "ear_weights.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A tensor of four dimensions; each is at least 1. Filters are [output channels, height, width,
 * input channels]; depthwise filters are [1, height, width, output channels]. */
typedef struct {
    int32_t n;
    int32_t h;
    int32_t w;
    int32_t c;
} ear_dims_t;

/* Scales of a layer with weights. Output channel i uses entry i * step: step is 1 for one scale
 * per channel, 0 for one scale for all. The real factor is multiplier * 2^(shift - 31), with
 * 2^30 <= multiplier < 2^31 (or 0) and -31 <= shift <= 30. */
typedef struct {
    const int32_t *multipliers;
    const int8_t *shifts;
    int32_t step;
} ear_scales_t;

/* CONV_2D and DEPTHWISE_CONV_2D. Padding is by the input's zero point; pad_h and pad_w are the
 * rows above and the columns left of the input. */
typedef struct {
    int32_t input_offset;  /* minus the zero point of the input, -127 to 128 */
    int32_t output_offset; /* the zero point of the output */
    int32_t output_min;    /* clamp, from the fused activation */
    int32_t output_max;
    int32_t stride_h;
    int32_t stride_w;
    int32_t dilation_h;
    int32_t dilation_w;
    int32_t pad_h;
    int32_t pad_w;
    int32_t depth_multiplier; /* output channels per input channel; only depthwise reads it */
    int32_t columns_bytes;    /* scratch before that for weights; read by kernels that work by columns */
} ear_conv_t;

/* output[n, y, x, o] = scale(bias[o] + sum of filter[o, ..] * (input + input_offset)).
 * Where filter c is smaller than input c, the channels are split in input c / filter c groups.
 * bias is int32 [output channels], or NULL. Sums of products stay within int32; with a bias they
 * may leave it, and wrap. */
void ear_conv2d_s8(const ear_conv_t *params, const ear_scales_t *scales,
                   const ear_dims_t *input_dims, const int8_t *input,
                   const ear_dims_t *filter_dims, const ear_weights_t *filter, int8_t *scratch,
                   const int32_t *bias, const ear_dims_t *output_dims, int8_t *output);

/* ear_conv2d_s8 of one group of channels, by columns (ear_columns_s8.h): each weight is loaded once
 * for five output positions. With n for the weights of one channel rounded up to a multiple of 4,
 * columns_bytes is 10 n, and n more unless the filter is 1 x 1; scratch is aligned to 4 bytes. Where
 * the weights are one block, five positions are read, in order, before any of them is written: the
 * output may reach input that was read. */
void ear_conv2d_columns_s8(const ear_conv_t *params, const ear_scales_t *scales,
                           const ear_dims_t *input_dims, const int8_t *input,
                           const ear_dims_t *filter_dims, const ear_weights_t *filter,
                           int8_t *scratch, const int32_t *bias, const ear_dims_t *output_dims,
                           int8_t *output);

/* The same for filters of which a whole column would be too long: by slices of slice_rows of their
 * rows. With n for the weights of one channel in a slice, rounded up to a multiple of 4, columns_bytes
 * is 11 n and 20 for each channel of a block of weights. */
void ear_conv2d_slices_s8(const ear_conv_t *params, int32_t slice_rows,
                          const ear_scales_t *scales, const ear_dims_t *input_dims,
                          const int8_t *input, const ear_dims_t *filter_dims,
                          const ear_weights_t *filter, int32_t *scratch, const int32_t *bias,
                          const ear_dims_t *output_dims, int8_t *output);

/* As ear_conv2d_s8, but output channel o reads only input channel o / depth_multiplier. */
void ear_depthwise_conv2d_s8(const ear_conv_t *params, const ear_scales_t *scales,
                             const ear_dims_t *input_dims, const int8_t *input,
                             const ear_dims_t *filter_dims, const ear_weights_t *filter,
                             int8_t *scratch, const int32_t *bias,
                             const ear_dims_t *output_dims, int8_t *output);

/* FULLY_CONNECTED: rows of `depth` inputs to rows of `units` outputs. */
typedef struct {
    int32_t input_offset;  /* minus the zero point of the input */
    int32_t filter_offset; /* minus the zero point of the filter; 0 in most models */
    int32_t output_offset; /* the zero point of the output */
    int32_t output_min;
    int32_t output_max;
    int32_t rows;
    int32_t depth;
    int32_t units;
} ear_fully_connected_t;

/* filter is [units, depth]; bias is int32 [units], or NULL. */
void ear_fully_connected_s8(const ear_fully_connected_t *params, const ear_scales_t *scales,
                            const int8_t *input, const ear_weights_t *filter, int8_t *scratch,
                            const int32_t *bias, int8_t *output);

/* AVERAGE_POOL_2D and MAX_POOL_2D. Input and output have one quantization. Each window holds at
 * least one element of the input. */
typedef struct {
    int32_t output_min;
    int32_t output_max;
    int32_t filter_h;
    int32_t filter_w;
    int32_t stride_h;
    int32_t stride_w;
    int32_t pad_h;
    int32_t pad_w;
} ear_pool_t;

/* The mean of the elements inside the input, rounded half away from zero. */
void ear_average_pool_s8(const ear_pool_t *params, const ear_dims_t *input_dims,
                         const int8_t *input, const ear_dims_t *output_dims, int8_t *output);

void ear_max_pool_s8(const ear_pool_t *params, const ear_dims_t *input_dims, const int8_t *input,
                     const ear_dims_t *output_dims, int8_t *output);

/* MEAN over any axes: the dimensions that stay and those that are summed, outermost first, each
 * with its stride in the input; unused ones have size 1. */
typedef struct {
    int32_t kept[3];
    int32_t kept_stride[3];
    int32_t summed[3];
    int32_t summed_stride[3];
    int32_t sum_offset; /* minus the zero point of the input, times the elements of one sum */
    int32_t multiplier; /* input scale / output scale / elements of one sum, with `shift` */
    int32_t shift;
    int32_t output_offset;
} ear_mean_t;

void ear_mean_s8(const ear_mean_t *params, const int8_t *input, int8_t *output);

/* SOFTMAX over the innermost dimension. exps[d] is e^(-d * input scale * beta) in Q0.31; it is 0
 * from d = count on. Output scale and zero point are 1/256 and -128, or 1/65536 and -32768. */
typedef struct {
    const int32_t *exps;
    int32_t count;
    int32_t rows;
    int32_t depth;
} ear_softmax_t;

/* May work in place. */
void ear_softmax_s8(const ear_softmax_t *params, const int8_t *input, int8_t *output);
void ear_softmax_s8_s16(const ear_softmax_t *params, const int8_t *input, int16_t *output);

/* Operations on two tensors with broadcasting (ear_broadcast.h): the output's dimensions, outermost
 * first, and the stride of each in both inputs (0 where an input is repeated). Adjacent dimensions
 * are merged at export. */
typedef struct {
    int32_t size[6];
    int32_t stride1[6];
    int32_t stride2[6];
} ear_broadcast_t;

/* ADD and SUB: both inputs are brought to one scale with 20 more bits, then the sum is scaled. */
typedef struct {
    int32_t input1_offset;
    int32_t input1_multiplier;
    int32_t input1_shift;
    int32_t input2_offset;
    int32_t input2_multiplier;
    int32_t input2_shift;
    int32_t output_offset;
    int32_t output_multiplier;
    int32_t output_shift;
    int32_t output_min;
    int32_t output_max;
    int32_t sign; /* of the second input: 1 adds, -1 subtracts */
} ear_add_t;

/* The output may be one of the inputs where that input is not broadcast. */
void ear_add_s8(const ear_add_t *params, const ear_broadcast_t *shape, const int8_t *input1,
                const int8_t *input2, int8_t *output);

typedef struct {
    int32_t input1_offset;
    int32_t input2_offset;
    int32_t output_offset;
    int32_t output_multiplier;
    int32_t output_shift;
    int32_t output_min;
    int32_t output_max;
} ear_mul_t;

/* The output may be one of the inputs where that input is not broadcast. */
void ear_mul_s8(const ear_mul_t *params, const ear_broadcast_t *shape, const int8_t *input1,
                const int8_t *input2, int8_t *output);

/* CONCATENATION: `rows` times, row_bytes[i] bytes of each input i in turn. */
typedef struct {
    int32_t rows;
    int32_t inputs;
    const int32_t *row_bytes;
} ear_concatenation_t;

void ear_concatenation(const ear_concatenation_t *params, const void *const *inputs, void *output);

/* Any function of one byte (RELU, LOGISTIC, TANH, int8 QUANTIZE and others): output[i] =
 * table[input[i]], the input read as unsigned. May work in place. */
void ear_lookup_u8(const uint8_t *table, int32_t count, const uint8_t *input, uint8_t *output);

/* QUANTIZE from float32: round half away from zero, saturate; not-a-number gives the zero point. */
typedef struct {
    float scale;
    int32_t zero_point;
    int32_t count;
} ear_quantize_t;

void ear_quantize_f32_s8(const ear_quantize_t *params, const float *input, int8_t *output);
void ear_quantize_f32_s16(const ear_quantize_t *params, const float *input, int16_t *output);

/* QUANTIZE between integers, where a byte goes to or comes from more than a byte. An int32 has the
 * zero point 0, and what exceeds it wraps. */
typedef struct {
    int32_t input_offset; /* minus the zero point of the input */
    int32_t multiplier;
    int32_t shift;
    int32_t output_offset;
    int32_t count;
} ear_rescale_t;

void ear_rescale_s8_s16(const ear_rescale_t *params, const int8_t *input, int16_t *output);
void ear_rescale_s16_s8(const ear_rescale_t *params, const int16_t *input, int8_t *output);
void ear_rescale_s16_s16(const ear_rescale_t *params, const int16_t *input, int16_t *output);
void ear_rescale_s8_s32(const ear_rescale_t *params, const int8_t *input, int32_t *output);
void ear_rescale_s16_s32(const ear_rescale_t *params, const int16_t *input, int32_t *output);
void ear_rescale_s32_s8(const ear_rescale_t *params, const int32_t *input, int8_t *output);
void ear_rescale_s32_s16(const ear_rescale_t *params, const int32_t *input, int16_t *output);

/* DEQUANTIZE to float32: scale * (q - zero point), the nearest float. */
void ear_dequantize_s8_f32(const ear_quantize_t *params, const int8_t *input, float *output);
void ear_dequantize_s16_f32(const ear_quantize_t *params, const int16_t *input, float *output);

#ifdef __cplusplus
}
#endif

#endif
