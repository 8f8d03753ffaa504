#include "ear_kernels_products.h"

#include "ear_dot_s16.h"
#include "ear_finish_s16.h"
#include "ear_transpose_taps.h"

typedef struct {
    const ear_conv_t *params;
    const ear_dims_t *input_dims;
    const ear_dims_t *filter_dims;
    ear_transpose_taps_t down;
    ear_transpose_taps_t across;
} place_t;

/* The sum of products of one channel. */
static int64_t products(const place_t *place, const int16_t *input, const int8_t *filter)
{
    const ear_conv_t *const params = place->params;
    const int32_t depth = place->input_dims->c;
    int64_t sum = 0;
    for (int32_t y = place->down.first; y <= place->down.last; y += params->stride_h) {
        const int32_t input_y = (place->down.at - y) / params->stride_h;
        for (int32_t x = place->across.first; x <= place->across.last; x += params->stride_w) {
            const int32_t input_x = (place->across.at - x) / params->stride_w;
            sum += ear_dot_s16(input + (input_y * place->input_dims->w + input_x) * depth,
                               filter + (y * place->filter_dims->w + x) * depth, depth);
        }
    }
    return sum;
}

void ear_transpose_conv_s16(const ear_conv_t *params, const ear_channels_s16_t *channels,
                            const ear_dims_t *input_dims, const int16_t *input,
                            const ear_dims_t *filter_dims, const ear_weights_t *filter,
                            int8_t *scratch, const ear_dims_t *output_dims, int16_t *output)
{
    const int32_t count = output_dims->c;
    const int32_t row = filter_dims->h * filter_dims->w * filter_dims->c;
    const int32_t image = input_dims->h * input_dims->w * input_dims->c;
    const int32_t pixels = output_dims->h * output_dims->w;
    const int32_t step = ear_weights_block(filter, count);
    const ear_finish_s16_t finish = {channels, params->output_min, params->output_max};
    place_t place = {.params = params, .input_dims = input_dims, .filter_dims = filter_dims};
    for (int32_t first = 0; first < count; first += step) {
        const int32_t end = count - first < step ? count : first + step;
        const int8_t *const weights = ear_weights_rows(filter, row, first, end - first, scratch);
        for (int32_t i = 0; i < output_dims->n * pixels; ++i) {
            const int32_t y = i % pixels / output_dims->w;
            const int32_t x = i % output_dims->w;
            place.down = ear_transpose_taps(y, params->pad_h, params->stride_h, filter_dims->h,
                                            input_dims->h);
            place.across = ear_transpose_taps(x, params->pad_w, params->stride_w, filter_dims->w,
                                              input_dims->w);
            for (int32_t channel = first; channel < end; ++channel) {
                output[i * count + channel] = ear_finish_one_s16(
                    &finish, channel,
                    products(&place, input + i / pixels * image, weights + (channel - first) * row));
            }
        }
    }
}
