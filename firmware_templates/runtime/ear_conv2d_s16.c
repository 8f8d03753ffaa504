#include "ear_kernels_s16.h"

#include "ear_dot_s16.h"
#include "ear_finish_s16.h"
#include "ear_window.h"

/* What lies under the filter at one output position: `rows` times `runs` stretches of `run`
 * elements, contiguous in the input and in the filter. */
typedef struct {
    int32_t input_at;
    int32_t filter_at;
    int32_t rows;
    int32_t runs;
    int32_t run;
    int32_t input_row_step;
    int32_t input_run_step;
    int32_t filter_row_step;
} stretches_t;

static stretches_t stretches_at(const ear_conv_t *params, const ear_dims_t *input,
                                const ear_dims_t *filter, int32_t y, int32_t x)
{
    const ear_window_t window = ear_window_at(params, input, filter, y, x);
    /* Taps that touch in the input too make one stretch of a whole row. */
    const bool touch = params->dilation_w == 1 && input->c == filter->c;
    const stretches_t found = {
        .input_at = (window.y * input->w + window.x) * input->c,
        .filter_at = (window.row * filter->w + window.tap) * filter->c,
        .rows = window.rows,
        .runs = touch ? 1 : window.taps,
        .run = touch ? window.taps * filter->c : filter->c,
        .input_row_step = params->dilation_h * input->w * input->c,
        .input_run_step = params->dilation_w * input->c,
        .filter_row_step = filter->w * filter->c,
    };
    return found;
}

/* Four output channels, whose filters are `stride` apart. A function of its own: inlined into the
 * loops around it, its inner loop runs out of registers. */
__attribute__((noinline)) static void four_sums(const stretches_t *under, const int16_t *input,
                                                const int8_t *filter, int32_t stride,
                                                int32_t sums[4])
{
    sums[0] = sums[1] = sums[2] = sums[3] = 0;
    for (int32_t row = 0; row < under->rows; ++row) {
        const int16_t *from = input + row * under->input_row_step;
        const int8_t *taps = filter + row * under->filter_row_step;
        for (int32_t run = 0; run < under->runs; ++run) {
            ear_dot4_s16(from, taps, stride, under->run, sums);
            from += under->input_run_step;
            taps += under->run;
        }
    }
}

static int64_t one_sum(const stretches_t *under, const int16_t *input, const int8_t *filter)
{
    int64_t sum = 0;
    for (int32_t row = 0; row < under->rows; ++row) {
        const int16_t *from = input + row * under->input_row_step;
        const int8_t *taps = filter + row * under->filter_row_step;
        for (int32_t run = 0; run < under->runs; ++run) {
            sum += ear_dot_s16(from, taps, under->run);
            from += under->input_run_step;
            taps += under->run;
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

/* The channels of a block at one position. */
static void position(const stretches_t *under, const int16_t *image, int32_t depth,
                     const block_t *block, const ear_finish_s16_t *finish, int16_t *output)
{
    const int8_t *filter = block->filter + under->filter_at;
    int32_t channel = block->first;
    while (channel < block->end) {
        const int32_t group = channel / block->group_channels;
        const int16_t *const from = image + under->input_at + group * depth;
        const int32_t group_end = (group + 1) * block->group_channels;
        const int32_t end = group_end < block->end ? group_end : block->end;
        for (; finish->channels->fits && channel + 4 <= end; channel += 4) {
            int32_t sums[4];
            four_sums(under, from, filter, block->row, sums);
            ear_finish_s16(finish, channel, 4, sums, output + channel);
            filter += 4 * block->row;
        }
        for (; channel < end; ++channel, filter += block->row) {
            const int64_t sum = one_sum(under, from, filter);
            output[channel] = ear_finish_one_s16(finish, channel, sum);
        }
    }
}

void ear_conv2d_s16(const ear_conv_t *params, const ear_channels_s16_t *channels,
                    const ear_dims_t *input_dims, const int16_t *input,
                    const ear_dims_t *filter_dims, const ear_weights_t *filter, int8_t *scratch,
                    const ear_dims_t *output_dims, int16_t *output)
{
    const int32_t count = output_dims->c;
    const int32_t plane = output_dims->h * output_dims->w;
    const int32_t image = input_dims->h * input_dims->w * input_dims->c;
    const int32_t step = ear_weights_block(filter, count);
    const ear_finish_s16_t finish = {channels, params->output_min, params->output_max};
    block_t block = {.row = filter_dims->h * filter_dims->w * filter_dims->c,
                     .group_channels = count / (input_dims->c / filter_dims->c)};
    for (block.first = 0; block.first < count; block.first = block.end) {
        block.end = count - block.first < step ? count : block.first + step;
        block.filter = ear_weights_rows(filter, block.row, block.first, block.end - block.first,
                                        scratch);
        for (int32_t at = 0; at < output_dims->n * plane; ++at) {
            const int32_t within = at % plane;
            const stretches_t under = stretches_at(params, input_dims, filter_dims,
                                                   within / output_dims->w,
                                                   within % output_dims->w);
            position(&under, input + at / plane * image, filter_dims->c, &block, &finish,
                     output + at * count);
        }
    }
}
