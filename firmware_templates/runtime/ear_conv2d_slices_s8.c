#include "ear_columns_s8.h"
#include "ear_kernels.h"
#include "ear_weights.h"
#include "ear_window.h"

/* An output position. */
typedef struct {
    const int8_t *image;
    int32_t y;
    int32_t x;
} place_t;

static inline void go_on(place_t *place, const ear_dims_t *input_dims,
                         const ear_dims_t *output_dims)
{
    if (++place->x == output_dims->w) {
        place->x = 0;
        if (++place->y == output_dims->h) {
            place->y = 0;
            place->image += input_dims->h * input_dims->w * input_dims->c;
        }
    }
}

/* Makes `count` columns of what lies under the filter from a place on; returns the next place. */
static place_t make(ear_columns_t *columns, int32_t count, place_t place, const ear_conv_t *params,
                    const ear_dims_t *input_dims, const ear_dims_t *filter_dims,
                    const ear_dims_t *output_dims)
{
    columns->depth = filter_dims->h * filter_dims->w * filter_dims->c;
    for (columns->count = 0; columns->count < count;) {
        ear_window_t window =
            ear_window_of_row(params, input_dims, filter_dims, filter_dims->c, place.y);
        ear_window_to(&window, params, input_dims, filter_dims, place.x);
        ear_columns_put(columns, &window, place.image);
        go_on(&place, input_dims, output_dims);
    }
    return place;
}

/* Some channels at all positions; filter: their weights. */
static void positions(const ear_conv_t *params, const ear_dims_t *input_dims, const int8_t *input,
                      const ear_dims_t *filter_dims, const int8_t *filter, int32_t slice_rows,
                      int32_t first, int32_t count, const ear_finish_t *finish,
                      ear_columns_t *columns, int32_t *sums, const ear_dims_t *output_dims,
                      int8_t *output)
{
    const int32_t line = filter_dims->w * filter_dims->c;
    const int32_t row = filter_dims->h * line;
    place_t place = {input, 0, 0};
    int32_t left = output_dims->n * output_dims->h * output_dims->w;
    output += first;
    while (left > 0) {
        const int32_t some = left < EAR_COLUMNS ? left : EAR_COLUMNS;
        place_t next = place;
        ear_columns_begin(finish, first, count, sums);
        for (int32_t top = 0; top < filter_dims->h; top += slice_rows) {
            const int32_t below = filter_dims->h - top;
            /* The slice is a filter of its own, further down. */
            ear_conv_t moved = *params;
            ear_dims_t slice = *filter_dims;
            moved.pad_h -= top * params->dilation_h;
            slice.h = below < slice_rows ? below : slice_rows;
            next = make(columns, some, place, &moved, input_dims, &slice, output_dims);
            ear_columns_add(columns, filter + top * line, row, count, sums);
        }
        ear_columns_end(columns, first, count, finish, sums, output, output_dims->c);
        output += some * output_dims->c;
        left -= some;
        place = next;
    }
}

void ear_conv2d_slices_s8(const ear_conv_t *params, int32_t slice_rows,
                          const ear_scales_t *scales, const ear_dims_t *input_dims,
                          const int8_t *input, const ear_dims_t *filter_dims,
                          const ear_weights_t *filter, int32_t *scratch, const int32_t *bias,
                          const ear_dims_t *output_dims, int8_t *output)
{
    const int32_t channels = output_dims->c;
    const int32_t row = filter_dims->h * filter_dims->w * filter_dims->c;
    const int32_t step = ear_weights_block(filter, channels);
    const ear_finish_t finish = {bias, *scales, params->output_offset, params->output_min,
                                 params->output_max};
    ear_columns_t columns = {(int16_t *)(scratch + EAR_COLUMNS * step), 0, params->input_offset,
                             0};
    for (int32_t first = 0; first < channels; first += step) {
        const int32_t count = channels - first < step ? channels - first : step;
        const int8_t *const weights = ear_weights_rows(
            filter, row, first, count, (int8_t *)scratch + params->columns_bytes);
        positions(params, input_dims, input, filter_dims, weights, slice_rows, first, count,
                  &finish, &columns, scratch, output_dims, output);
    }
}
