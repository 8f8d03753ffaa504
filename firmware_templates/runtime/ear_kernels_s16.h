/* Kernels on int16 tensors, in NHWC order, with int8 weights where a layer has weights (int16x8).
 *
 * What ear_kernels.h says of all kernels holds here too: the bits are those of TFLite-Micro's
 * reference kernels, everything was checked at export, sizes are in elements. Every int16 tensor
 * has a zero point of 0, so that offsets in the structs shared with int8 kernels are 0.
 */
#ifndef EAR_KERNELS_S16_H
#define EAR_KERNELS_S16_H

#include "ear_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How sums become outputs, for each output channel. Channel i uses entry i * step of factors or
 * multipliers, and of shifts: step is 1 for one scale per channel, 0 for one scale for all.
 *
 * Of factors and multipliers one is NULL. With factors (int64 biases) a sum is scaled by one
 * rounding, half up: factor / 2^shift, 2^14 <= factor < 2^15 (or 0) and 8 <= shift <= 46. With
 * multipliers (int32 biases) it is scaled as ear_scales_t says.
 *
 * Where `fits` is 1, sums with their biases are kept in 32 bits: they stay within int32, in any
 * order of summing up, or there are multipliers and they wrap; and the shifts of factors are at
 * least 17. Else they stay below 2^47, and there are factors. */
typedef struct {
    const int16_t *factors;
    const int32_t *multipliers;
    const int8_t *shifts;
    int32_t step;
    int32_t fits;
    const int32_t *bias;      /* [channels] the low 32 bits, or NULL: no biases */
    const int16_t *bias_high; /* [channels] the bits above, or NULL: the biases are int32 */
} ear_channels_s16_t;

/* CONV_2D, as ear_conv2d_s8, with biases in `channels`. */
void ear_conv2d_s16(const ear_conv_t *params, const ear_channels_s16_t *channels,
                    const ear_dims_t *input_dims, const int16_t *input,
                    const ear_dims_t *filter_dims, const ear_weights_t *filter, int8_t *scratch,
                    const ear_dims_t *output_dims, int16_t *output);

/* DEPTHWISE_CONV_2D, as ear_depthwise_conv2d_s8, with biases in `channels`. */
void ear_depthwise_conv2d_s16(const ear_conv_t *params, const ear_channels_s16_t *channels,
                              const ear_dims_t *input_dims, const int16_t *input,
                              const ear_dims_t *filter_dims, const ear_weights_t *filter,
                              int8_t *scratch, const ear_dims_t *output_dims, int16_t *output);

/* FULLY_CONNECTED, as ear_fully_connected_s8, with biases in `channels`. */
void ear_fully_connected_s16(const ear_fully_connected_t *params,
                             const ear_channels_s16_t *channels, const int16_t *input,
                             const ear_weights_t *filter, int8_t *scratch, int16_t *output);

/* ADD and SUB: as on int8, but with 15 more bits for the common scale. The output may be one of
 * the inputs where that input is not broadcast. */
void ear_add_s16(const ear_add_t *params, const ear_broadcast_t *shape, const int16_t *input1,
                 const int16_t *input2, int16_t *output);

/* MUL. The output may be one of the inputs where that input is not broadcast. */
void ear_mul_s16(const ear_mul_t *params, const ear_broadcast_t *shape, const int16_t *input1,
                 const int16_t *input2, int16_t *output);

/* The mean of the elements inside the input, rounded half away from zero; at most 65535 of them. */
void ear_average_pool_s16(const ear_pool_t *params, const ear_dims_t *input_dims,
                          const int16_t *input, const ear_dims_t *output_dims, int16_t *output);

void ear_max_pool_s16(const ear_pool_t *params, const ear_dims_t *input_dims,
                      const int16_t *input, const ear_dims_t *output_dims, int16_t *output);

/* MEAN over any axes, at most 65535 elements in each sum. */
void ear_mean_s16(const ear_mean_t *params, const int16_t *input, int16_t *output);

/* A table of a function on int16: entry i is its value at 128 * (i - 256); between two entries it
 * is interpolated, rounded half up. */
#define EAR_TABLE_S16_ENTRIES 513

/* SOFTMAX over the innermost dimension, at most 65535 wide; output scale 1/32768. */
typedef struct {
    const int16_t *exps;        /* a table: e^x for x from -10 to 0, Q0.15 */
    const int16_t *reciprocals; /* a table: 1 / (1 + x) for x from 0 to 1, Q0.15 */
    int32_t multiplier;         /* input scale * beta * 65535 / 10, with `shift` */
    int32_t shift;
    int32_t rows;
    int32_t depth;
} ear_softmax_s16_t;

/* Works in place. */
void ear_softmax_s16(const ear_softmax_s16_t *params, const int16_t *input, int16_t *output);

/* LOGISTIC and TANH: sigmoid[i] is 1 / (1 + e^(-i / 24)) in Q0.16, for i = 0 to 255; between two
 * entries it is interpolated. An input times multiplier / 2^shift is in steps of 1/12288. */
typedef struct {
    const uint16_t *sigmoid;
    int32_t multiplier; /* 1 to 32767 */
    int32_t shift;      /* 0 to 31 */
    int32_t count;
} ear_sigmoid_s16_t;

/* Output scale 1/32768. Both may work in place. */
void ear_logistic_s16(const ear_sigmoid_s16_t *params, const int16_t *input, int16_t *output);
void ear_tanh_s16(const ear_sigmoid_s16_t *params, const int16_t *input, int16_t *output);

/* Two slopes that meet at zero (RELU, RELU6, LEAKY_RELU): inputs from 0 up are scaled by the first
 * factor, those below by the second, which `sign` (1 or -1) makes negative; then both are clamped.
 * Shifts are at most 15. */
typedef struct {
    int32_t multiplier;
    int32_t shift;
    int32_t below_multiplier;
    int32_t below_shift;
    int32_t below_sign;
    int32_t output_min;
    int32_t output_max;
    int32_t count;
} ear_slopes_t;

/* May work in place. */
void ear_slopes_s16(const ear_slopes_t *params, const int16_t *input, int16_t *output);

#ifdef __cplusplus
}
#endif

#endif
