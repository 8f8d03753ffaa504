#include "ear_product_neon.h"

#include <string.h>

#include "ear_neon.h"
#include "ear_requantize.h"

#if EAR_NEON

/* Adds the products of 16 weights and 16 inputs to a sum in four parts. */
static inline int32x4_t add_products(int32x4_t sum, int8x16_t weights, int8x16_t inputs)
{
    int16x8_t pairs = vmull_s8(vget_low_s8(weights), vget_low_s8(inputs));
    pairs = vmlal_high_s8(pairs, weights, inputs);
    return vpadalq_s16(sum, pairs);
}

static inline int32x4_t folded(const int32x4_t sums[4])
{
    return vpaddq_s32(vpaddq_s32(sums[0], sums[1]), vpaddq_s32(sums[2], sums[3]));
}

/* The scaled sums of four channels at each of `positions` columns; inlined for a constant count. */
__attribute__((always_inline)) static inline void tile(const ear_product_neon_t *product,
                                                       const int8_t *weights, int32_t channel,
                                                       const int8_t *const columns[],
                                                       int positions, int32x4_t scaled[4])
{
    const int32_t depth = product->depth;
    int32x4_t sums[4][4];
#pragma GCC unroll 4
    for (int p = 0; p < positions; ++p) {
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) {
            sums[p][i] = vdupq_n_s32(0);
        }
    }
    for (int32_t at = 0; at < depth; at += 16) {
        const int8x16_t taps[4] = {vld1q_s8(weights + at), vld1q_s8(weights + depth + at),
                                   vld1q_s8(weights + 2 * depth + at),
                                   vld1q_s8(weights + 3 * depth + at)};
#pragma GCC unroll 4
        for (int p = 0; p < positions; ++p) {
            const int8x16_t inputs = vld1q_s8(columns[p] + at);
#pragma GCC unroll 4
            for (int i = 0; i < 4; ++i) {
                sums[p][i] = add_products(sums[p][i], taps[i], inputs);
            }
        }
    }
    const int32x4_t bias = vld1q_s32(product->ends->bias + channel);
    const int32x4_t multipliers = vld1q_s32(product->ends->multipliers + channel);
    const int32x4_t shifts = vld1q_s32(product->ends->shifts + channel);
#pragma GCC unroll 4
    for (int p = 0; p < positions; ++p) {
        scaled[p] = ear_neon_scale(vaddq_s32(folded(sums[p]), bias), multipliers, shifts);
    }
}

void ear_product_neon_s8(const ear_product_neon_t *product, const int8_t *const columns[],
                         int32_t count, int8_t *output, int32_t stride)
{
    const ear_neon_clamp_t clamp = ear_neon_clamp_of(product->ends);
    const int8_t *weights = product->weights;
    const int8_t *const four[4] = {columns[0], columns[count > 1 ? 1 : 0],
                                   columns[count > 2 ? 2 : 0], columns[count > 3 ? 3 : 0]};
    for (int32_t channel = product->first; channel < product->end; channel += 4) {
        int32x4_t scaled[4];
        if (count == 1) {
            tile(product, weights, channel, four, 1, scaled);
            scaled[1] = scaled[2] = scaled[3] = scaled[0];
        } else {
            tile(product, weights, channel, four, 4, scaled);
        }
        weights += 4 * product->depth;
        int8_t outputs[16];
        vst1q_s8(outputs, ear_neon_outputs(&clamp, scaled));
        const int32_t left = product->end - channel;
        for (int32_t p = 0; p < count; ++p) {
            if (left >= 4) {
                memcpy(output + p * stride + channel, outputs + 4 * p, 4);
            } else {
                memcpy(output + p * stride + channel, outputs + 4 * p, (size_t)left);
            }
        }
    }
}

#else

void ear_product_neon_s8(const ear_product_neon_t *product, const int8_t *const columns[],
                         int32_t count, int8_t *output, int32_t stride)
{
    const ear_ends_neon_t *const ends = product->ends;
    const int8_t *weights = product->weights;
    for (int32_t channel = product->first; channel < product->end; ++channel) {
        for (int32_t p = 0; p < count; ++p) {
            int32_t sum = 0;
            for (int32_t i = 0; i < product->depth; ++i) {
                sum += weights[i] * columns[p][i];
            }
            output[p * stride + channel] = (int8_t)ear_scale_to(
                ear_wrapping_sum(sum, ends->bias[channel]), ends->multipliers[channel],
                ends->shifts[channel], ends->zero_point, ends->low, ends->high);
        }
        weights += product->depth;
    }
}

#endif
