#include "ear_kernels_plain.h"

#include <string.h>

#include "ear_end_s8.h"

/* What an axis of the plane shows of the input. */
typedef struct {
    int32_t before; /* elements of padding */
    int32_t first;  /* element of the input */
    int32_t count;
} view_t;

static view_t view_from(const ear_plane_axis_t *axis, int32_t output)
{
    const int32_t start = output * axis->stride - axis->pad;
    const int32_t end = start + axis->plane < axis->input ? start + axis->plane : axis->input;
    const int32_t first = start < 0 ? 0 : start;
    const view_t view = {first - start, first, end > first ? end - first : 0};
    return view;
}

typedef struct {
    const ear_plane_t *params;
    const ear_plane_axis_t *rows;
    const ear_plane_axis_t *columns;
} layer_t;

/* Copies one channel of the input under the outputs from row `row` on, with its padding. */
static void gather(const layer_t *layer, const int8_t *channel, int32_t row, int8_t *plane)
{
    const view_t rows = view_from(layer->rows, row);
    const view_t columns = view_from(layer->columns, 0);
    const int32_t width = layer->columns->plane;
    const int32_t step = layer->columns->input_step;
    memset(plane, layer->params->input_zero_point, (size_t)layer->params->plane_bytes);
    if (columns.count == 0) {
        return;
    }
    int8_t *to = plane + rows.before * width + columns.before;
    const int8_t *from =
        channel + rows.first * layer->rows->input_step + columns.first * step;
    for (int32_t left = rows.count; left > 0; --left) {
        const int8_t *next = from;
        for (int32_t i = 0; i < columns.count; ++i, next += step) {
            to[i] = *next;
        }
        to += width;
        from += layer->rows->input_step;
    }
}

/* The steps in the plane from one tap to the next, and from one output to the next. */
typedef struct {
    int32_t rows;
    int32_t columns;
    int32_t row_step;
    int32_t column_step;
    int32_t output_step;
} taps_t;

/* Adds a row of three taps to the sums of four outputs; `step` is 1 or 2, and constant. */
static inline void three_taps(const int8_t *from, const int8_t *weights, int32_t step,
                              int32_t sums[4])
{
    const int32_t weight0 = weights[0];
    const int32_t weight1 = weights[1];
    const int32_t weight2 = weights[2];
#pragma GCC unroll 4
    for (int32_t i = 0; i < 4; ++i) {
        sums[i] += from[i * step] * weight0;
        sums[i] += from[i * step + 1] * weight1;
        sums[i] += from[i * step + 2] * weight2;
    }
}

__attribute__((noinline)) static void four_of_three(const taps_t *taps, const int8_t *from,
                                                    const int8_t *weights, int32_t start,
                                                    int32_t sums[4])
{
    const int32_t row_step = taps->row_step;
    int32_t made[4] = {start, start, start, start};
    for (int32_t left = taps->rows; left > 0; --left) {
        three_taps(from, weights, 1, made);
        from += row_step;
        weights += 3;
    }
    sums[0] = made[0];
    sums[1] = made[1];
    sums[2] = made[2];
    sums[3] = made[3];
}

__attribute__((noinline)) static void four_of_any(const taps_t *taps, const int8_t *from,
                                                  const int8_t *weights, int32_t start,
                                                  int32_t sums[4])
{
    const int32_t step = taps->output_step;
    int32_t sum0 = start;
    int32_t sum1 = start;
    int32_t sum2 = start;
    int32_t sum3 = start;
    for (int32_t rows = taps->rows; rows > 0; --rows) {
        const int8_t *next = from;
        for (int32_t left = taps->columns; left > 0; --left) {
            const int32_t weight = *weights++;
            sum0 += next[0] * weight;
            sum1 += next[step] * weight;
            sum2 += next[2 * step] * weight;
            sum3 += next[3 * step] * weight;
            next += taps->column_step;
        }
        from += taps->row_step;
    }
    sums[0] = sum0;
    sums[1] = sum1;
    sums[2] = sum2;
    sums[3] = sum3;
}

/* `count` rows of outputs of one channel. */
static void outputs(const layer_t *layer, const int8_t *plane, const int8_t *weights,
                    int32_t start, const ear_end_t *end, int32_t count, int8_t *output)
{
    const int32_t width = layer->columns->plane;
    const int32_t step = layer->columns->output_step;
    const int32_t low = layer->params->output_min;
    const int32_t high = layer->params->output_max;
    const taps_t taps = {layer->rows->filter, layer->columns->filter,
                         layer->rows->dilation * width, layer->columns->dilation,
                         layer->columns->stride};
    const bool three = taps.columns == 3 && taps.column_step == 1 && taps.output_step == 1;
    for (; count > 0; --count) {
        const int8_t *from = plane;
        int8_t *to = output;
        for (int32_t left = layer->columns->output; left > 0; left -= 4) {
            int32_t sums[4];
            if (left < 4) { /* the last four again, of which some are new */
                from -= (4 - left) * taps.output_step;
                to -= (4 - left) * step;
            }
            (three ? four_of_three : four_of_any)(&taps, from, weights, start, sums);
            ear_end_put(sums, end, low, high, 4, to, step);
            from += 4 * taps.output_step;
            to += 4 * step;
        }
        plane += layer->rows->stride * width;
        output += layer->rows->output_step;
    }
}

void ear_depthwise_planes_s8(const ear_plane_t *params, const ear_plane_axis_t *rows,
                             const ear_plane_axis_t *columns, const ear_scales_t *scales,
                             const int8_t *input, const ear_weights_t *filter, int8_t *scratch,
                             const int32_t *starts, int8_t *output)
{
    const layer_t layer = {params, rows, columns};
    const int32_t channels = params->channels;
    const int32_t taps = rows->filter * columns->filter;
    const int32_t step = ear_weights_block(filter, channels);
    const int32_t depth = channels / params->depth_multiplier;
    const int32_t in_image = rows->input * columns->input * depth;
    const int32_t out_image = rows->output * columns->output * channels;
    const int8_t *weights = NULL;
    for (int32_t channel = 0; channel < channels; ++channel) {
        if (channel % step == 0) {
            const int32_t left = channels - channel;
            weights = ear_weights_rows(filter, taps, channel, left < step ? left : step,
                                       scratch + params->plane_bytes);
        }
        const ear_end_t end = ear_end_of(scales, channel, params->output_zero_point);
        const int8_t *from = input + channel / params->depth_multiplier;
        int8_t *to = output + channel;
        for (int32_t image = 0; image < params->images; ++image) {
            for (int32_t row = 0; row < rows->output; row += params->band) {
                const int32_t left = rows->output - row;
                gather(&layer, from, row, scratch);
                outputs(&layer, scratch, weights, starts[channel], &end,
                        left < params->band ? left : params->band,
                        to + row * rows->output_step);
            }
            from += in_image;
            to += out_image;
        }
        weights += taps;
    }
}
