#include "ear_columns_s8.h"
#include "ear_kernels.h"
#include "ear_window.h"

/* The channels from `first` to `end` - 1 at all positions; filter: their weights. */
static void positions(const ear_conv_t *params, const ear_dims_t *input_dims,
                      const int8_t *input, const ear_dims_t *filter_dims, const int8_t *filter,
                      int32_t first, int32_t end, const ear_finish_t *finish,
                      ear_columns_t *columns, const ear_dims_t *output_dims, int8_t *output)
{
    const int32_t depth = output_dims->c;
    int32_t left = output_dims->n * output_dims->h * output_dims->w;
    columns->count = 0;
    output += first;
    for (int32_t n = 0; n < output_dims->n; ++n) {
        for (int32_t y = 0; y < output_dims->h; ++y) {
            ear_window_t window =
                ear_window_of_row(params, input_dims, filter_dims, filter_dims->c, y);
            for (int32_t x = 0; x < output_dims->w; ++x) {
                ear_window_to(&window, params, input_dims, filter_dims, x);
                ear_columns_put(columns, &window, input);
                if (columns->count == EAR_COLUMNS || columns->count == left) {
                    ear_columns_product(columns, filter, first, end - first, finish, output,
                                        depth);
                    output += columns->count * depth;
                    left -= columns->count;
                    columns->count = 0;
                }
            }
        }
        input += input_dims->h * input_dims->w * input_dims->c;
    }
}

void ear_conv2d_columns_s8(const ear_conv_t *params, const ear_scales_t *scales,
                           const ear_dims_t *input_dims, const int8_t *input,
                           const ear_dims_t *filter_dims, const ear_weights_t *filter,
                           int8_t *scratch, const int32_t *bias, const ear_dims_t *output_dims,
                           int8_t *output)
{
    const int32_t channels = output_dims->c;
    const int32_t row = filter_dims->h * filter_dims->w * filter_dims->c;
    const int32_t step = ear_weights_block(filter, channels);
    const ear_finish_t finish = {bias, *scales, params->output_offset, params->output_min,
                                 params->output_max};
    ear_columns_t columns = {(void *)scratch, row, params->input_offset, 0};
    for (int32_t first = 0; first < channels; first += step) {
        const int32_t end = channels - first < step ? channels : first + step;
        const int8_t *const weights = ear_weights_rows(filter, row, first, end - first,
                                                       scratch + params->columns_bytes);
        positions(params, input_dims, input, filter_dims, weights, first, end, &finish, &columns,
                  output_dims, output);
    }
}
