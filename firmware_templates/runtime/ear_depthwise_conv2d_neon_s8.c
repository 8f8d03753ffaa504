#include "ear_kernels_neon.h"

#include <string.h>

#include "ear_neon.h"
#include "ear_requantize.h"

/* Where each tap of the filter reads at one output position, and weights [taps][count] of the
 * output channels from `first` on. */
typedef struct {
    const ear_ends_neon_t *ends;
    const int8_t **from;
    int32_t taps;
    const int8_t *weights;
    int32_t first;
    int32_t count;
} position_t;

/* Channels `at` to end - 1 of the block, one by one. */
static void plain(const position_t *position, int32_t at, int32_t end, int8_t *output)
{
    const ear_ends_neon_t *const ends = position->ends;
    for (; at < end; ++at) {
        const int32_t channel = position->first + at;
        int32_t sum = 0;
        for (int32_t i = 0; i < position->taps; ++i) {
            sum += position->weights[i * position->count + at] * position->from[i][channel];
        }
        output[channel] = (int8_t)ear_scale_to(
            ear_wrapping_sum(sum, ends->bias[channel]), ends->multipliers[channel],
            ends->shifts[channel], ends->zero_point, ends->low, ends->high);
    }
}

#if EAR_NEON

static inline void add(int32x4_t sums[4], int16x8_t low, int16x8_t high)
{
    sums[0] = vaddw_s16(sums[0], vget_low_s16(low));
    sums[1] = vaddw_high_s16(sums[1], low);
    sums[2] = vaddw_s16(sums[2], vget_low_s16(high));
    sums[3] = vaddw_high_s16(sums[3], high);
}

/* Sixteen channels; two products at a time fit an int16. */
static inline void sixteen(const position_t *position, int32_t at,
                           const ear_neon_clamp_t *clamp, int8_t *output)
{
    const ear_ends_neon_t *const ends = position->ends;
    const int32_t channel = position->first + at;
    const int32_t stride = position->count;
    const int8_t *weights = position->weights + at;
    int32x4_t sums[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
        sums[i] = vld1q_s32(ends->bias + channel + 4 * i);
    }
    int32_t tap = 0;
    for (; tap + 2 <= position->taps; tap += 2, weights += 2 * stride) {
        const int8x16_t one = vld1q_s8(position->from[tap] + channel);
        const int8x16_t other = vld1q_s8(position->from[tap + 1] + channel);
        const int8x16_t by_one = vld1q_s8(weights);
        const int8x16_t by_other = vld1q_s8(weights + stride);
        const int16x8_t low = vmull_s8(vget_low_s8(one), vget_low_s8(by_one));
        const int16x8_t high = vmull_high_s8(one, by_one);
        add(sums, vmlal_s8(low, vget_low_s8(other), vget_low_s8(by_other)),
            vmlal_high_s8(high, other, by_other));
    }
    if (tap < position->taps) {
        const int8x16_t one = vld1q_s8(position->from[tap] + channel);
        const int8x16_t by_one = vld1q_s8(weights);
        add(sums, vmull_s8(vget_low_s8(one), vget_low_s8(by_one)), vmull_high_s8(one, by_one));
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
        sums[i] = ear_neon_scale(sums[i], vld1q_s32(ends->multipliers + channel + 4 * i),
                                 vld1q_s32(ends->shifts + channel + 4 * i));
    }
    vst1q_s8(output + channel, ear_neon_outputs(clamp, sums));
}

static void channels_of(const position_t *position, int8_t *output)
{
    const ear_neon_clamp_t clamp = ear_neon_clamp_of(position->ends);
    int32_t at = 0;
    for (; at + 16 <= position->count; at += 16) {
        sixteen(position, at, &clamp, output);
    }
    if (at < position->count && at > 0) {
        sixteen(position, position->count - 16, &clamp, output);
    } else {
        plain(position, at, position->count, output);
    }
}

#else

static void channels_of(const position_t *position, int8_t *output)
{
    plain(position, 0, position->count, output);
}

#endif

/* Lets each tap read the input under the filter, or `padding` outside it. */
static void place(const ear_conv_t *params, const ear_dims_t *input_dims, const int8_t *input,
                  const ear_dims_t *filter_dims, const int8_t *padding, int32_t y, int32_t x,
                  const int8_t **from)
{
    const int32_t top = y * params->stride_h - params->pad_h;
    const int32_t left = x * params->stride_w - params->pad_w;
    for (int32_t i = 0; i < filter_dims->h; ++i) {
        const int32_t row = top + i * params->dilation_h;
        const bool in_rows = row >= 0 && row < input_dims->h;
        for (int32_t j = 0; j < filter_dims->w; ++j) {
            const int32_t column = left + j * params->dilation_w;
            const bool inside = in_rows && column >= 0 && column < input_dims->w;
            *from++ =
                inside ? input + (row * input_dims->w + column) * input_dims->c : padding;
        }
    }
}

static void positions(const ear_conv_t *params, const ear_dims_t *input_dims,
                      const int8_t *input, const ear_dims_t *filter_dims, const int8_t *padding,
                      const position_t *position, const ear_dims_t *output_dims, int8_t *output)
{
    for (int32_t n = 0; n < output_dims->n; ++n) {
        for (int32_t y = 0; y < output_dims->h; ++y) {
            for (int32_t x = 0; x < output_dims->w; ++x) {
                place(params, input_dims, input, filter_dims, padding, y, x, position->from);
                channels_of(position, output);
                output += output_dims->c;
            }
        }
        input += input_dims->h * input_dims->w * input_dims->c;
    }
}

void ear_depthwise_conv2d_neon_s8(const ear_conv_t *params, const ear_ends_neon_t *ends,
                                  const ear_dims_t *input_dims, const int8_t *input,
                                  const ear_dims_t *filter_dims, const ear_weights_t *filter,
                                  int8_t *scratch, const ear_dims_t *output_dims, int8_t *output)
{
    const int32_t channels = output_dims->c;
    const int32_t step = ear_weights_block(filter, channels);
    position_t position = {
        .ends = ends, .from = (void *)scratch, .taps = filter_dims->h * filter_dims->w};
    int8_t *const padding = scratch + EAR_NEON_TAP_BYTES * position.taps;
    memset(padding, -params->input_offset, (size_t)channels);
    for (; position.first < channels; position.first += step) {
        const int32_t left = channels - position.first;
        position.count = left < step ? left : step;
        position.weights = ear_weights_rows(filter, position.taps, position.first, position.count,
                                            padding + channels);
        positions(params, input_dims, input, filter_dims, padding, &position, output_dims, output);
    }
}
