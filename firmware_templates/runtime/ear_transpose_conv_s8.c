#include "ear_kernels_products.h"

#include "ear_dot_s8.h"
#include "ear_finish_s8.h"
#include "ear_transpose_taps.h"

typedef struct {
    const ear_conv_t *params;
    const ear_dims_t *input_dims;
    const ear_dims_t *filter_dims;
    ear_transpose_taps_t down;
    ear_transpose_taps_t across;
} place_t;

/* Adds to the sums of `count` channels, 1 or 4, whose filters are `row` apart. */
static void add_products(const place_t *place, const int8_t *input, const int8_t *filter,
                         int32_t row, int32_t count, int32_t *sums)
{
    const ear_conv_t *const params = place->params;
    const int32_t depth = place->input_dims->c;
    for (int32_t y = place->down.first; y <= place->down.last; y += params->stride_h) {
        const int32_t input_y = (place->down.at - y) / params->stride_h;
        for (int32_t x = place->across.first; x <= place->across.last; x += params->stride_w) {
            const int32_t input_x = (place->across.at - x) / params->stride_w;
            const int8_t *const from = input + (input_y * place->input_dims->w + input_x) * depth;
            const int8_t *const taps = filter + (y * place->filter_dims->w + x) * depth;
            if (count == 4) {
                ear_dot4_s8(from, params->input_offset, taps, row, depth, sums);
            } else {
                sums[0] = ear_wrapping_sum(
                    sums[0], ear_dot_s8(from, params->input_offset, taps, depth));
            }
        }
    }
}

/* Channels first to end - 1 at one position; `filter` holds the weights of these. */
static void position(const place_t *place, const int8_t *input, const int8_t *filter,
                     int32_t first, int32_t end, const ear_finish_t *finish, int8_t *output)
{
    const int32_t row = place->filter_dims->h * place->filter_dims->w * place->filter_dims->c;
    int32_t channel = first;
    for (; channel + 4 <= end; channel += 4, filter += 4 * row) {
        int32_t sums[4];
        ear_begin4_s8(finish, channel, sums);
        add_products(place, input, filter, row, 4, sums);
        ear_finish_s8(finish, channel, 4, sums, output + channel);
    }
    for (; channel < end; ++channel, filter += row) {
        int32_t sum = ear_begin_s8(finish, channel);
        add_products(place, input, filter, row, 1, &sum);
        ear_finish_s8(finish, channel, 1, &sum, output + channel);
    }
}

void ear_transpose_conv_s8(const ear_conv_t *params, const ear_scales_t *scales,
                           const ear_dims_t *input_dims, const int8_t *input,
                           const ear_dims_t *filter_dims, const ear_weights_t *filter,
                           int8_t *scratch, const int32_t *bias, const ear_dims_t *output_dims,
                           int8_t *output)
{
    const int32_t channels = output_dims->c;
    const int32_t row = filter_dims->h * filter_dims->w * filter_dims->c;
    const int32_t image = input_dims->h * input_dims->w * input_dims->c;
    const int32_t pixels = output_dims->h * output_dims->w;
    const int32_t step = ear_weights_block(filter, channels);
    const ear_finish_t finish = {bias, *scales, params->output_offset, params->output_min,
                                 params->output_max};
    place_t place = {.params = params, .input_dims = input_dims, .filter_dims = filter_dims};
    for (int32_t first = 0; first < channels; first += step) {
        const int32_t end = channels - first < step ? channels : first + step;
        const int8_t *const weights = ear_weights_rows(filter, row, first, end - first, scratch);
        for (int32_t i = 0; i < output_dims->n * pixels; ++i) {
            const int32_t y = i % pixels / output_dims->w;
            const int32_t x = i % output_dims->w;
            place.down = ear_transpose_taps(y, params->pad_h, params->stride_h, filter_dims->h,
                                            input_dims->h);
            place.across = ear_transpose_taps(x, params->pad_w, params->stride_w, filter_dims->w,
                                              input_dims->w);
            position(&place, input + i / pixels * image, weights, first, end, &finish,
                     output + i * channels);
        }
    }
}
