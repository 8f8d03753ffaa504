/* Kernels for NEON of aarch64, without dot products. They compile on every core, and give the same
 * bits there in plain C.
 *
 * Weights are -127 to 127, so that two products fit an int16. Padding of the input is by its zero
 * point; what the zero point adds to a sum is constant, and part of the bias. */
#ifndef EAR_KERNELS_NEON_H
#define EAR_KERNELS_NEON_H

#include "ear_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How sums become outputs: int32 tables of one entry for each output channel, and zeros up to a
 * multiple of 4. bias: with input_offset * (sum of weights); sums wrap. shifts: -31 to -1. */
typedef struct {
    const int32_t *bias;
    const int32_t *multipliers;
    const int32_t *shifts;
    int32_t zero_point;
    int32_t low;
    int32_t high;
} ear_ends_neon_t;

/* CONV_2D of one group. filter: [output channels, depth], where depth is the weights of a channel
 * and zeros up to a multiple of 16, and the channels are rounded up to a multiple of 4.
 * columns_bytes: 4 * depth, which scratch has before that for weights; 0 for a filter of one tap
 * with strides of 1, and depth input channels. */
void ear_conv2d_neon_s8(const ear_conv_t *params, const ear_ends_neon_t *ends,
                        const ear_dims_t *input_dims, const int8_t *input,
                        const ear_dims_t *filter_dims, const ear_weights_t *filter,
                        int8_t *scratch, const ear_dims_t *output_dims, int8_t *output);

/* DEPTHWISE_CONV_2D with a depth multiplier of 1; filter [taps][channels]. Scratch has, before that
 * for weights, EAR_NEON_TAP_BYTES for each tap of the filter and a byte for each channel. */
#define EAR_NEON_TAP_BYTES 8
void ear_depthwise_conv2d_neon_s8(const ear_conv_t *params, const ear_ends_neon_t *ends,
                                  const ear_dims_t *input_dims, const int8_t *input,
                                  const ear_dims_t *filter_dims, const ear_weights_t *filter,
                                  int8_t *scratch, const ear_dims_t *output_dims, int8_t *output);

/* FULLY_CONNECTED without a filter offset. filter as above; columns_bytes: that of scratch before
 * the weights': 4 * depth in multiples of 16, or 0 where depth is one. */
void ear_fully_connected_neon_s8(const ear_fully_connected_t *params,
                                 const ear_ends_neon_t *ends, const int8_t *input,
                                 const ear_weights_t *filter, int8_t *scratch, int8_t *output);

#ifdef __cplusplus
}
#endif

#endif
