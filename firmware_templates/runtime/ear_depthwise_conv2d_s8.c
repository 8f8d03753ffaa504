#include "ear_kernels.h"

#include "ear_dsp.h"
#include "ear_finish_s8.h"
#include "ear_requantize.h"
#include "ear_window.h"

/* A block of output channels, its weights unpacked: [taps][channels]. */
typedef struct {
    const int8_t *filter;
    int32_t first;
    int32_t channels;
} block_t;

/* The taps inside the input, as `rows` stretches of `taps` of them. */
typedef struct {
    int32_t rows;
    int32_t input_row_step;
    int32_t filter_row_step;
    int32_t taps;
    int32_t input_step;
    int32_t filter_step;
    int32_t offset; /* of the input */
} taps_t;

static inline taps_t taps_of(const ear_window_t *window, int32_t offset)
{
    taps_t taps = {window->rows, window->input_row_step, window->filter_row_step,
                   window->taps, window->input_tap_step, window->filter_tap_step, offset};
    if (window->taps == 1) { /* a column, gone down as if it were a row */
        taps.rows = 1;
        taps.taps = window->rows;
        taps.input_step = window->input_row_step;
        taps.filter_step = window->filter_row_step;
    }
    return taps;
}

/* Adds to the sums of four output channels that read input channels side by side: the usual
 * multiplier of 1. Neither this nor the next is inline: their loops take most registers of a
 * Cortex-M, and inside other loops get too few. */
__attribute__((noinline)) static void four_own(const taps_t *taps, const int8_t *input,
                                               const int8_t *filter, int32_t sums[4])
{
    const int32_t input_step = taps->input_step;
    const int32_t filter_step = taps->filter_step;
#if EAR_DSP
    const int16x2_t offset = ear_dsp_twice(taps->offset);
#else
    const int32_t offset = taps->offset;
#endif
    int32_t sum0 = sums[0];
    int32_t sum1 = sums[1];
    int32_t sum2 = sums[2];
    int32_t sum3 = sums[3];
    for (int32_t row = 0; row < taps->rows; ++row) {
        const int8_t *from = input + row * taps->input_row_step;
        const int8_t *by = filter + row * taps->filter_row_step;
        for (int32_t left = taps->taps; left > 0; --left) {
#if EAR_DSP
            const uint32_t values = ear_dsp_quad(from);
            const uint32_t weights = ear_dsp_quad(by);
            const int16x2_t even = ear_dsp_add_even(offset, values);
            const int16x2_t even_weights = ear_dsp_even(weights);
            sum0 = __smlabb(even, even_weights, sum0);
            sum2 = __smlatt(even, even_weights, sum2);
            const int16x2_t odd = ear_dsp_add_odd(offset, values);
            const int16x2_t odd_weights = ear_dsp_odd(weights);
            sum1 = __smlabb(odd, odd_weights, sum1);
            sum3 = __smlatt(odd, odd_weights, sum3);
#else
            sum0 = ear_wrapping_sum(sum0, (from[0] + offset) * by[0]);
            sum1 = ear_wrapping_sum(sum1, (from[1] + offset) * by[1]);
            sum2 = ear_wrapping_sum(sum2, (from[2] + offset) * by[2]);
            sum3 = ear_wrapping_sum(sum3, (from[3] + offset) * by[3]);
#endif
            from += input_step;
            by += filter_step;
        }
    }
    sums[0] = sum0;
    sums[1] = sum1;
    sums[2] = sum2;
    sums[3] = sum3;
}

/* Adds to the sums of four output channels that read the same input channel. */
__attribute__((noinline)) static void four_shared(const taps_t *row, const int8_t *input,
                                                  const int8_t *filter, int32_t sums[4])
{
    const int32_t input_step = row->input_step;
    const int32_t filter_step = row->filter_step;
    const int32_t offset = row->offset;
    int32_t sum0 = sums[0];
    int32_t sum1 = sums[1];
    int32_t sum2 = sums[2];
    int32_t sum3 = sums[3];
    for (int32_t left = row->taps; left > 0; --left) {
        const int32_t value = *input + offset;
        sum0 = ear_wrapping_sum(sum0, value * filter[0]);
        sum1 = ear_wrapping_sum(sum1, value * filter[1]);
        sum2 = ear_wrapping_sum(sum2, value * filter[2]);
        sum3 = ear_wrapping_sum(sum3, value * filter[3]);
        input += input_step;
        filter += filter_step;
    }
    sums[0] = sum0;
    sums[1] = sum1;
    sums[2] = sum2;
    sums[3] = sum3;
}

static int32_t one_sum(const taps_t *taps, const int8_t *input, const int8_t *filter)
{
    int32_t sum = 0;
    for (int32_t row = 0; row < taps->rows; ++row) {
        const int8_t *from = input + row * taps->input_row_step;
        const int8_t *by = filter + row * taps->filter_row_step;
        for (int32_t tap = 0; tap < taps->taps; ++tap) {
            sum += (*from + taps->offset) * *by;
            from += taps->input_step;
            by += taps->filter_step;
        }
    }
    return sum;
}

/* The output channels of a block at one position. */
static void position(const ear_window_t *window, const int8_t *image, int32_t offset,
                     int32_t multiplier, const block_t *block, const ear_finish_t *finish,
                     int8_t *output)
{
    const taps_t taps = taps_of(window, offset);
    const int8_t *const input = image + window->input_at;
    const int8_t *const filter = block->filter + window->filter_at;
    const int32_t fours = multiplier == 1 || multiplier % 4 == 0 ? block->channels / 4 * 4 : 0;
    int32_t done = 0;
    for (; done < fours; done += 4) {
        const int32_t channel = block->first + done;
        const int8_t *from = input + channel / multiplier;
        const int8_t *by = filter + done;
        int32_t sums[4];
        ear_begin4_s8(finish, channel, sums);
        if (multiplier == 1) {
            four_own(&taps, from, by, sums);
        }
        for (int32_t row = 0; multiplier != 1 && row < taps.rows; ++row) {
            four_shared(&taps, from, by, sums);
            from += taps.input_row_step;
            by += taps.filter_row_step;
        }
        ear_finish_s8(finish, channel, 4, sums, output + done);
    }
    for (; done < block->channels; ++done) {
        const int32_t channel = block->first + done;
        const int32_t sum =
            ear_wrapping_sum(ear_begin_s8(finish, channel),
                             one_sum(&taps, input + channel / multiplier, filter + done));
        ear_finish_s8(finish, channel, 1, &sum, output + done);
    }
}

/* The output channels of a block at all positions. */
static void positions(const ear_conv_t *params, const ear_dims_t *input_dims,
                      const int8_t *input, const ear_dims_t *filter_dims, const block_t *block,
                      const ear_finish_t *finish, const ear_dims_t *output_dims, int8_t *output)
{
    for (int32_t n = 0; n < output_dims->n; ++n) {
        for (int32_t y = 0; y < output_dims->h; ++y) {
            ear_window_t window =
                ear_window_of_row(params, input_dims, filter_dims, block->channels, y);
            for (int32_t x = 0; x < output_dims->w; ++x) {
                ear_window_to(&window, params, input_dims, filter_dims, x);
                position(&window, input, params->input_offset, params->depth_multiplier, block,
                         finish, output + block->first);
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
    const ear_finish_t finish = {bias, *scales, params->output_offset, params->output_min,
                                 params->output_max};
    for (int32_t first = 0; first < channels; first += step) {
        const int32_t count = channels - first < step ? channels - first : step;
        const block_t block = {ear_weights_rows(filter, taps, first, count, scratch), first,
                               count};
        positions(params, input_dims, input, filter_dims, &block, &finish, output_dims, output);
    }
}
