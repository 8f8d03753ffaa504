#include "ear_kernels.h"

#include "ear_dot_s8.h"
#include "ear_finish_s8.h"
#include "ear_window.h"

/* Adds to the sums of four output channels, whose filters are `stride` apart. */
static void four_sums(const ear_window_t *window, const int8_t *input, int32_t offset,
                      const int8_t *filter, int32_t stride, int32_t sums[4])
{
    for (int32_t row = 0; row < window->rows; ++row) {
        const int8_t *from = input + row * window->input_row_step;
        const int8_t *taps = filter + row * window->filter_row_step;
        for (int32_t run = 0; run < window->runs; ++run) {
            ear_dot4_s8(from, offset, taps, stride, window->run, sums);
            from += window->input_tap_step;
            taps += window->run;
        }
    }
}

static int32_t one_sum(const ear_window_t *window, const int8_t *input, int32_t offset,
                       const int8_t *filter)
{
    int32_t sum = 0;
    for (int32_t row = 0; row < window->rows; ++row) {
        const int8_t *from = input + row * window->input_row_step;
        const int8_t *taps = filter + row * window->filter_row_step;
        for (int32_t run = 0; run < window->runs; ++run) {
            sum += ear_dot_s8(from, offset, taps, window->run);
            from += window->input_tap_step;
            taps += window->run;
        }
    }
    return sum;
}

/* A block of output channels, its weights unpacked. */
typedef struct {
    const int8_t *filter;
    int32_t row; /* weights of one channel */
    int32_t first;
    int32_t end;
    int32_t group_channels;
} block_t;

/* The channels of a block at one position. Not inline: the loops around it would take registers
 * from those in it. */
__attribute__((noinline)) static void position(const ear_window_t *window, const int8_t *image,
                                               int32_t offset, int32_t depth,
                                               const block_t *block, const ear_finish_t *finish,
                                               int8_t *output)
{
    const int8_t *filter = block->filter + window->filter_at;
    int32_t channel = block->first;
    while (channel < block->end) {
        const int32_t group = channel / block->group_channels;
        const int8_t *const from = image + window->input_at + group * depth;
        const int32_t group_end = (group + 1) * block->group_channels;
        const int32_t end = group_end < block->end ? group_end : block->end;
        for (; channel + 4 <= end; channel += 4, filter += 4 * block->row) {
            int32_t sums[4];
            ear_begin4_s8(finish, channel, sums);
            four_sums(window, from, offset, filter, block->row, sums);
            ear_finish_s8(finish, channel, 4, sums, output + channel);
        }
        for (; channel < end; ++channel, filter += block->row) {
            const int32_t sum = ear_wrapping_sum(ear_begin_s8(finish, channel),
                                                 one_sum(window, from, offset, filter));
            ear_finish_s8(finish, channel, 1, &sum, output + channel);
        }
    }
}

/* The channels of a block at all positions. */
static void positions(const ear_conv_t *params, const ear_dims_t *input_dims,
                      const int8_t *input, const ear_dims_t *filter_dims, const block_t *block,
                      const ear_finish_t *finish, const ear_dims_t *output_dims, int8_t *output)
{
    for (int32_t n = 0; n < output_dims->n; ++n) {
        for (int32_t y = 0; y < output_dims->h; ++y) {
            ear_window_t window =
                ear_window_of_row(params, input_dims, filter_dims, filter_dims->c, y);
            for (int32_t x = 0; x < output_dims->w; ++x, output += output_dims->c) {
                ear_window_to(&window, params, input_dims, filter_dims, x);
                position(&window, input, params->input_offset, filter_dims->c, block, finish,
                         output);
            }
        }
        input += input_dims->h * input_dims->w * input_dims->c;
    }
}

void ear_conv2d_s8(const ear_conv_t *params, const ear_scales_t *scales,
                   const ear_dims_t *input_dims, const int8_t *input,
                   const ear_dims_t *filter_dims, const ear_weights_t *filter, int8_t *scratch,
                   const int32_t *bias, const ear_dims_t *output_dims, int8_t *output)
{
    const int32_t channels = output_dims->c;
    const int32_t step = ear_weights_block(filter, channels);
    const ear_finish_t finish = {bias, *scales, params->output_offset, params->output_min,
                                 params->output_max};
    block_t block = {.row = filter_dims->h * filter_dims->w * filter_dims->c,
                     .group_channels = channels / (input_dims->c / filter_dims->c)};
    for (block.first = 0; block.first < channels; block.first = block.end) {
        block.end = channels - block.first < step ? channels : block.first + step;
        block.filter = ear_weights_rows(filter, block.row, block.first, block.end - block.first,
                                        scratch);
        positions(params, input_dims, input, filter_dims, &block, &finish, output_dims, output);
    }
}
