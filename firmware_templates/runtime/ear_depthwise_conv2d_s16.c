#include "ear_kernels_s16.h"

#include "ear_finish_s16.h"
#include "ear_window.h"

/* A block of output channels, its weights unpacked: [taps][channels]. */
typedef struct {
    const int8_t *filter;
    int32_t first;
    int32_t channels;
} block_t;

/* Four output channels that read input channels side by side: the usual multiplier of 1. */
static inline void four_sums(const ear_window_t *window, const int16_t *input,
                             const int8_t *filter, int32_t sums[4])
{
    int32_t sum0 = 0;
    int32_t sum1 = 0;
    int32_t sum2 = 0;
    int32_t sum3 = 0;
    for (int32_t row = 0; row < window->rows; ++row) {
        const int16_t *from = input + row * window->input_row_step;
        const int8_t *taps = filter + row * window->filter_row_step;
        for (int32_t tap = 0; tap < window->taps; ++tap) {
            sum0 += from[0] * taps[0];
            sum1 += from[1] * taps[1];
            sum2 += from[2] * taps[2];
            sum3 += from[3] * taps[3];
            from += window->input_tap_step;
            taps += window->filter_tap_step;
        }
    }
    sums[0] = sum0;
    sums[1] = sum1;
    sums[2] = sum2;
    sums[3] = sum3;
}

static inline int64_t one_sum(const ear_window_t *window, const int16_t *input,
                              const int8_t *filter)
{
    int64_t sum = 0;
    for (int32_t row = 0; row < window->rows; ++row) {
        const int16_t *from = input + row * window->input_row_step;
        const int8_t *taps = filter + row * window->filter_row_step;
        for (int32_t tap = 0; tap < window->taps; ++tap) {
            sum += *from * *taps;
            from += window->input_tap_step;
            taps += window->filter_tap_step;
        }
    }
    return sum;
}

/* The output channels of a block at one position. A function of its own: inlined into the loops
 * around it, its inner loop runs out of registers. */
__attribute__((noinline)) static void position(const ear_window_t *window, const int16_t *image,
                                               int32_t multiplier, const block_t *block,
                                               const ear_finish_s16_t *finish, int16_t *output)
{
    const int16_t *const input = image + window->input_at;
    const int8_t *const filter = block->filter + window->filter_at;
    int32_t done = 0;
    if (multiplier == 1 && finish->channels->fits) {
        for (; done + 4 <= block->channels; done += 4) {
            int32_t sums[4];
            four_sums(window, input + block->first + done, filter + done, sums);
            ear_finish_s16(finish, block->first + done, 4, sums, output + done);
        }
    }
    for (; done < block->channels; ++done) {
        const int32_t channel = block->first + done;
        const int64_t sum = one_sum(window, input + channel / multiplier, filter + done);
        output[done] = ear_finish_one_s16(finish, channel, sum);
    }
}

/* The output channels of a block at all positions. */
static void positions(const ear_conv_t *params, const ear_dims_t *input_dims,
                      const int16_t *input, const ear_dims_t *filter_dims, const block_t *block,
                      const ear_finish_s16_t *finish, const ear_dims_t *output_dims,
                      int16_t *output)
{
    for (int32_t n = 0; n < output_dims->n; ++n) {
        for (int32_t y = 0; y < output_dims->h; ++y) {
            ear_window_t window =
                ear_window_of_row(params, input_dims, filter_dims, block->channels, y);
            for (int32_t x = 0; x < output_dims->w; ++x) {
                ear_window_to(&window, params, input_dims, filter_dims, x);
                position(&window, input, params->depth_multiplier, block, finish,
                         output + block->first);
                output += output_dims->c;
            }
        }
        input += input_dims->h * input_dims->w * input_dims->c;
    }
}

void ear_depthwise_conv2d_s16(const ear_conv_t *params, const ear_channels_s16_t *channels,
                              const ear_dims_t *input_dims, const int16_t *input,
                              const ear_dims_t *filter_dims, const ear_weights_t *filter,
                              int8_t *scratch, const ear_dims_t *output_dims, int16_t *output)
{
    const int32_t count = output_dims->c;
    const int32_t taps = filter_dims->h * filter_dims->w;
    const int32_t step = ear_weights_block(filter, count);
    const ear_finish_s16_t finish = {channels, params->output_min, params->output_max};
    for (int32_t first = 0; first < count; first += step) {
        const int32_t left = count - first < step ? count - first : step;
        const block_t block = {ear_weights_rows(filter, taps, first, left, scratch), first, left};
        positions(params, input_dims, input, filter_dims, &block, &finish, output_dims, output);
    }
}
