/* Kernels in the layouts of cores with MVE. What ear_kernels.h says of all kernels holds here too.
 *
 * Scales have one entry for each output channel, with shifts of -31 to 0. bias has the input's
 * offset in it: bias[o] + input_offset * (sum of the weights of o), which wraps.
 */
#ifndef EAR_KERNELS_MVE_H
#define EAR_KERNELS_MVE_H

#include "ear_kernels.h"
#include "ear_kernels_recurrent.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The sums of two adjacent columns of `row` values, a multiple of 16, with the weights of pairs of
 * channels: `sums` has EAR_SUMS_MOST for the first column, then those of the second. pairs is 1 to
 * half of that. Those with a number are for rows of so many times 16. */
typedef void (*ear_sums_mve_t)(const int8_t *columns, const int8_t *weights, int32_t row,
                               int32_t pairs, int32_t *sums);
enum { EAR_SUMS_MOST = 32 };

void ear_sums_mve(const int8_t *columns, const int8_t *weights, int32_t row, int32_t pairs,
                  int32_t *sums);
void ear_sums1_mve(const int8_t *columns, const int8_t *weights, int32_t row, int32_t pairs,
                   int32_t *sums);
void ear_sums2_mve(const int8_t *columns, const int8_t *weights, int32_t row, int32_t pairs,
                   int32_t *sums);
void ear_sums3_mve(const int8_t *columns, const int8_t *weights, int32_t row, int32_t pairs,
                   int32_t *sums);
void ear_sums4_mve(const int8_t *columns, const int8_t *weights, int32_t row, int32_t pairs,
                   int32_t *sums);
void ear_sums5_mve(const int8_t *columns, const int8_t *weights, int32_t row, int32_t pairs,
                   int32_t *sums);
void ear_sums6_mve(const int8_t *columns, const int8_t *weights, int32_t row, int32_t pairs,
                   int32_t *sums);

typedef struct {
    int32_t input_offset;
    int32_t output_offset;
    int32_t output_min;
    int32_t output_max;
    int32_t stride_h;
    int32_t stride_w;
    int32_t dilation_h;
    int32_t dilation_w;
    int32_t pad_h;
    int32_t pad_w;
    int32_t columns_bytes;
    int32_t band_bytes;    /* 0 for columns straight from the input */
    int32_t band_row;      /* bytes of a row of the band, all that the filter meets */
    const int16_t *starts; /* where in the band each vector of the first column begins */
    const uint8_t *places; /* of its values, from there on */
    ear_sums_mve_t sums;   /* NULL with one position */
} ear_conv_mve_t;

/* CONV_2D of one group of channels, and FULLY_CONNECTED as one of 1 x 1. The weights of an output
 * channel are n, those of the filter rounded up to a multiple of 16, with any values behind the
 * last one. columns_bytes is 2 n, scratch before that for the band, then weights; or 0 for a
 * filter of 1 x 1 and one position, whose n values of input are read where they are. A band, for
 * filters without dilation along rows, has a row for each of the filter's, then zeros, which stand
 * for what is behind a column. With columns, a filter
 * of 1 x 1 and strides of 1, weights of one block and no more output than input channels, the
 * output may be at the address of the input. */
void ear_conv2d_s8_mve(const ear_conv_mve_t *params, const ear_scales_t *scales,
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

/* DEPTHWISE_CONV_2D by planes: all that the filter meets of a channel, padding included. A step
 * makes `group` outputs from 16 bytes of a plane, and a line of outputs is made of steps. What
 * steps make beyond a line is made again by the next, or is behind the sums. */
typedef struct {
    int32_t images;
    int32_t channels;
    int32_t depth_multiplier;
    int32_t input_zero_point;
    int32_t output_offset;
    int32_t output_min;
    int32_t output_max;
    bool positive;       /* output_min >= output_offset: what is below needs no exact rounding */
    int32_t input_image; /* values of an image */
    int32_t input_line;  /* positions from one run of the input to the next */
    int32_t taps;
    int32_t runs;        /* of the input in a plane */
    int32_t run;         /* positions */
    int32_t plane_bytes; /* a multiple of 4 */
    int32_t plane_line;  /* from one run to the next in a plane */
    int32_t inside;      /* where the first one is */
    int32_t lines;       /* of outputs */
    int32_t line;        /* from what the first output of a line meets to that of the next */
    int32_t columns;     /* outputs of a line */
    int32_t steps;       /* of a line */
    int32_t step;        /* in a plane, from one to the next */
    int32_t group;       /* at most 5 if is_run, else 3 */
    bool is_run;         /* a step reads 16 adjacent bytes */
    uint8_t window[16];  /* else these */
    int8_t lanes[80];    /* the weight that each has, by output of a step; -1: none */
    int32_t band;        /* lines whose sums are made at once, 8 outputs or more */
    int32_t sums_bytes;  /* a multiple of 4 */
} ear_planes_mve_t;

/* Shifts are -31 to -1; the bias has nothing of the input's offset in it; filter is
 * [channels][taps]. Scratch, aligned to 4 bytes, has plane_bytes and sums_bytes before what the
 * weights need. The output may be at the address of the input where the depth multiplier is 1 and
 * both are of one size. */
void ear_depthwise_planes_s8_mve(const ear_planes_mve_t *params, const ear_scales_t *scales,
                                 const int8_t *input, const ear_weights_t *filter,
                                 int8_t *scratch, const int32_t *bias, int8_t *output);

/* As ear_svdf_s8_s16. starts has for each filter the input's offset times the sum of its weights. */
void ear_svdf_s8_s16_mve(const ear_svdf_t *params, const int8_t *input,
                         const ear_weights_t *feature, int8_t *scratch, const int32_t *starts,
                         const int16_t *time, const int32_t *bias, int16_t *state,
                         int8_t *output);

/* As ear_average_pool_s8, of windows of at most 255 elements, and ear_max_pool_s8. */
void ear_average_pool_s8_mve(const ear_pool_t *params, const ear_dims_t *input_dims,
                             const int8_t *input, const ear_dims_t *output_dims, int8_t *output);
void ear_max_pool_s8_mve(const ear_pool_t *params, const ear_dims_t *input_dims,
                         const int8_t *input, const ear_dims_t *output_dims, int8_t *output);

/* As ear_add_s8, of inputs of one shape. */
void ear_add_s8_mve(const ear_add_t *params, int32_t count, const int8_t *input1,
                    const int8_t *input2, int8_t *output);

#ifdef __cplusplus
}
#endif

#endif
