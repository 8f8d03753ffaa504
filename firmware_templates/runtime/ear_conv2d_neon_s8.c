#include "ear_kernels_neon.h"

#include <string.h>

#include "ear_product_neon.h"
#include "ear_window.h"

/* memcpy for a few bytes, which are seldom more than a dozen. */
static inline void copy(int8_t *to, const int8_t *from, int32_t count)
{
    if (count >= 8) {
        for (int32_t i = 0; i + 8 < count; i += 8) {
            memcpy(to + i, from + i, 8);
        }
        memcpy(to + count - 8, from + count - 8, 8);
    } else if (count >= 4) {
        memcpy(to, from, 4);
        memcpy(to + count - 4, from + count - 4, 4);
    } else {
        for (int32_t i = 0; i < count; ++i) {
            to[i] = from[i];
        }
    }
}

/* Gathers what lies under the window; the zero point where that is padding. */
static void gather(const ear_window_t *window, const int8_t *image, int32_t zero_point,
                   int32_t filter_size, int8_t *column)
{
    const int8_t *from = image + window->input_at;
    if (window->rows * window->runs * window->run != filter_size) {
        memset(column, zero_point, (size_t)filter_size);
    }
    column += window->filter_at;
    for (int32_t row = 0; row < window->rows; ++row) {
        const int8_t *run = from;
        int8_t *to = column;
        for (int32_t i = 0; i < window->runs; ++i) {
            copy(to, run, window->run);
            run += window->input_tap_step;
            to += window->run;
        }
        from += window->input_row_step;
        column += window->filter_row_step;
    }
}

/* The channels of a product at the columns gathered so far. */
typedef struct {
    const ear_product_neon_t *product;
    const int8_t *columns[EAR_NEON_COLUMNS];
    int32_t count;
    int32_t stride;
    int8_t *output;
} gathered_t;

static void finish(gathered_t *gathered)
{
    ear_product_neon_s8(gathered->product, gathered->columns, gathered->count, gathered->output,
                        gathered->stride);
    gathered->output += gathered->count * gathered->stride;
    gathered->count = 0;
}

static void windows(const ear_conv_t *params, const ear_dims_t *input_dims, const int8_t *input,
                    const ear_dims_t *filter_dims, int8_t *columns,
                    const ear_dims_t *output_dims, gathered_t *gathered)
{
    const int32_t depth = gathered->product->depth;
    const int32_t size = filter_dims->h * filter_dims->w * filter_dims->c;
    memset(columns, 0, (size_t)(EAR_NEON_COLUMNS * depth));
    for (int32_t i = 0; i < EAR_NEON_COLUMNS; ++i) {
        gathered->columns[i] = columns + i * depth;
    }
    for (int32_t n = 0; n < output_dims->n; ++n) {
        for (int32_t y = 0; y < output_dims->h; ++y) {
            ear_window_t window =
                ear_window_of_row(params, input_dims, filter_dims, filter_dims->c, y);
            for (int32_t x = 0; x < output_dims->w; ++x) {
                ear_window_to(&window, params, input_dims, filter_dims, x);
                gather(&window, input, -params->input_offset, size,
                       columns + gathered->count * depth);
                gathered->count += 1;
                if (gathered->count == EAR_NEON_COLUMNS) {
                    finish(gathered);
                }
            }
        }
        input += input_dims->h * input_dims->w * input_dims->c;
    }
    if (gathered->count > 0) {
        finish(gathered);
    }
}

static void pointwise(const int8_t *input, int32_t positions, gathered_t *gathered)
{
    const int32_t depth = gathered->product->depth;
    for (int32_t i = 0; i < positions; i += gathered->count) {
        const int32_t left = positions - i;
        gathered->count = left < EAR_NEON_COLUMNS ? left : EAR_NEON_COLUMNS;
        for (int32_t column = 0; column < gathered->count; ++column) {
            gathered->columns[column] = input + column * depth;
        }
        input += gathered->count * depth;
        ear_product_neon_s8(gathered->product, gathered->columns, gathered->count,
                            gathered->output, gathered->stride);
        gathered->output += gathered->count * gathered->stride;
    }
}

void ear_conv2d_neon_s8(const ear_conv_t *params, const ear_ends_neon_t *ends,
                        const ear_dims_t *input_dims, const int8_t *input,
                        const ear_dims_t *filter_dims, const ear_weights_t *filter,
                        int8_t *scratch, const ear_dims_t *output_dims, int8_t *output)
{
    const int32_t channels = output_dims->c;
    const int32_t step = ear_weights_block(filter, channels);
    const int32_t size = filter_dims->h * filter_dims->w * filter_dims->c;
    int8_t *const columns = scratch;
    scratch = params->columns_bytes != 0 ? scratch + params->columns_bytes : scratch;
    ear_product_neon_t product = {.ends = ends, .depth = (size + 15) / 16 * 16};
    for (; product.first < channels; product.first = product.end) {
        const int32_t left = channels - product.first;
        product.end = product.first + (left < step ? left : step);
        product.weights = ear_weights_rows(filter, product.depth, product.first,
                                           product.end - product.first, scratch);
        gathered_t gathered = {.product = &product, .stride = channels, .output = output};
        if (params->columns_bytes == 0) {
            pointwise(input, output_dims->n * output_dims->h * output_dims->w, &gathered);
        } else {
            windows(params, input_dims, input, filter_dims, columns, output_dims, &gathered);
        }
    }
}
