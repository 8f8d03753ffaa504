#include "ear_kernels.h"

#include "ear_finish_s8.h"
#include "ear_requantize.h"

/* A block of output channels, its weights unpacked: [taps][channels]. */
typedef struct {
    const int8_t *filter;
    int32_t first;
    int32_t channels;
} block_t;

/* The taps of the filter that lie inside the input at one output position. */
typedef struct {
    const int8_t *input;
    const int8_t *filter;
    int32_t rows;
    int32_t taps;
    int32_t input_row_step;
    int32_t input_tap_step;
    int32_t filter_row_step;
    int32_t filter_tap_step;
} window_t;

static window_t window_at(const ear_conv_t *params, const ear_dims_t *input_dims,
                          const int8_t *input, const ear_dims_t *filter_dims,
                          const block_t *block, int32_t y, int32_t x)
{
    const int32_t top = y * params->stride_h - params->pad_h;
    const int32_t left = x * params->stride_w - params->pad_w;
    const ear_span_t rows =
        ear_taps_inside(top, filter_dims->h, params->dilation_h, input_dims->h);
    const ear_span_t taps =
        ear_taps_inside(left, filter_dims->w, params->dilation_w, input_dims->w);
    window_t window = {input, block->filter, 0, 0, 0, 0, 0, 0};
    if (taps.end <= taps.first || rows.end <= rows.first) {
        return window; /* a dilated filter can have all its taps in the padding */
    }
    window.input += ((top + rows.first * params->dilation_h) * input_dims->w + left +
                     taps.first * params->dilation_w) * input_dims->c;
    window.filter += (rows.first * filter_dims->w + taps.first) * block->channels;
    window.rows = rows.end - rows.first;
    window.taps = taps.end - taps.first;
    window.input_row_step = params->dilation_h * input_dims->w * input_dims->c;
    window.input_tap_step = params->dilation_w * input_dims->c;
    window.filter_row_step = filter_dims->w * block->channels;
    window.filter_tap_step = block->channels;
    return window;
}

/* Four output channels, the first of them number `channel` of the block, which read input channels
 * from[0] to from[3]. */
static inline void four_sums(const window_t *window, int32_t offset, int32_t channel,
                             const int32_t from[4], int32_t sums[4])
{
    int32_t sum0 = 0;
    int32_t sum1 = 0;
    int32_t sum2 = 0;
    int32_t sum3 = 0;
    for (int32_t row = 0; row < window->rows; ++row) {
        const int8_t *input = window->input + row * window->input_row_step;
        const int8_t *filter = window->filter + row * window->filter_row_step + channel;
        for (int32_t tap = 0; tap < window->taps; ++tap) {
            sum0 += (input[from[0]] + offset) * filter[0];
            sum1 += (input[from[1]] + offset) * filter[1];
            sum2 += (input[from[2]] + offset) * filter[2];
            sum3 += (input[from[3]] + offset) * filter[3];
            input += window->input_tap_step;
            filter += window->filter_tap_step;
        }
    }
    sums[0] = sum0;
    sums[1] = sum1;
    sums[2] = sum2;
    sums[3] = sum3;
}

/* As four_sums, but the input channels are side by side from `input` on: the usual multiplier of
 * 1. */
static void four_own_sums(const window_t *window, int32_t offset, int32_t channel, int32_t input,
                          int32_t sums[4])
{
    window_t moved = *window;
    moved.input += input;
    const int32_t from[4] = {0, 1, 2, 3};
    four_sums(&moved, offset, channel, from, sums);
}

static int32_t one_sum(const window_t *window, int32_t offset, int32_t channel, int32_t from)
{
    int32_t sum = 0;
    for (int32_t row = 0; row < window->rows; ++row) {
        const int8_t *input = window->input + row * window->input_row_step + from;
        const int8_t *filter = window->filter + row * window->filter_row_step + channel;
        for (int32_t tap = 0; tap < window->taps; ++tap) {
            sum += (*input + offset) * *filter;
            input += window->input_tap_step;
            filter += window->filter_tap_step;
        }
    }
    return sum;
}

static inline int8_t finish(const ear_conv_t *params, const ear_scales_t *scales,
                            const int32_t *bias, int32_t channel, int32_t sum)
{
    return ear_finish_s8(scales, bias, channel, sum, params->output_offset, params->output_min,
                         params->output_max);
}

/* The output channels of a block at one position. */
__attribute__((noinline)) static void position(const ear_conv_t *params, const ear_scales_t *scales, const window_t *window,
                     const block_t *block, const int32_t *bias, int8_t *output)
{
    const int32_t multiplier = params->depth_multiplier;
    int32_t done = 0;
    for (; done + 4 <= block->channels; done += 4) {
        const int32_t channel = block->first + done;
        int32_t sums[4];
        if (multiplier == 1) {
            four_own_sums(window, params->input_offset, done, channel, sums);
        } else {
            const int32_t from[4] = {channel / multiplier, (channel + 1) / multiplier,
                                     (channel + 2) / multiplier, (channel + 3) / multiplier};
            four_sums(window, params->input_offset, done, from, sums);
        }
        for (int32_t i = 0; i < 4; ++i) {
            output[channel + i] = finish(params, scales, bias, channel + i, sums[i]);
        }
    }
    for (; done < block->channels; ++done) {
        const int32_t channel = block->first + done;
        const int32_t sum = one_sum(window, params->input_offset, done, channel / multiplier);
        output[channel] = finish(params, scales, bias, channel, sum);
    }
}

/* The output channels of a block at all positions. */
static void positions(const ear_conv_t *params, const ear_scales_t *scales,
                      const ear_dims_t *input_dims, const int8_t *input,
                      const ear_dims_t *filter_dims, const block_t *block, const int32_t *bias,
                      const ear_dims_t *output_dims, int8_t *output)
{
    for (int32_t n = 0; n < output_dims->n; ++n) {
        for (int32_t y = 0; y < output_dims->h; ++y) {
            for (int32_t x = 0; x < output_dims->w; ++x) {
                const window_t window =
                    window_at(params, input_dims, input, filter_dims, block, y, x);
                position(params, scales, &window, block, bias, output);
                output += output_dims->c;
            }
        }
        input += input_dims->h * input_dims->w * input_dims->c;
    }
}

void ear_depthwise_conv2d_s8(const ear_conv_t *params, const ear_scales_t *scales,
                             const ear_dims_t *input_dims, const int8_t *input,
                             const ear_dims_t *filter_dims, const ear_weights_t *filter,
                             int8_t *scratch, const int32_t *bias,
                             const ear_dims_t *output_dims, int8_t *output)
{
    const int32_t channels = output_dims->c;
    const int32_t taps = filter_dims->h * filter_dims->w;
    const int32_t step = ear_weights_block(filter, channels);
    for (int32_t first = 0; first < channels; first += step) {
        const int32_t count = channels - first < step ? channels - first : step;
        const block_t block = {ear_weights_rows(filter, taps, first, count, scratch), first,
                               count};
        positions(params, scales, input_dims, input, filter_dims, &block, bias, output_dims,
                  output);
    }
}
