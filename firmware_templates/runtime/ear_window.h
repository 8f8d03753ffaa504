/* What lies under a filter at one output position of a convolution. */
#ifndef EAR_WINDOW_H
#define EAR_WINDOW_H

#include "ear_kernels.h"
#include "ear_requantize.h"

/* The taps inside the input: `rows` times `taps` of them, perhaps none, since a dilated filter can
 * have all its taps in the padding. Places and steps are in elements, from the first of image and
 * filter. A row of taps is also `runs` stretches of `run` elements that are contiguous in input and
 * filter, for filters that take all or a group of the input's channels: taps that touch in the
 * input too make one stretch. */
typedef struct {
    int32_t input_row;
    int32_t filter_row;
    int32_t input_at;
    int32_t filter_at;
    int32_t rows;
    int32_t taps;
    int32_t runs;
    int32_t run;
    int32_t input_row_step;
    int32_t input_tap_step;
    int32_t filter_row_step;
    int32_t filter_tap_step;
} ear_window_t;

/* The window of output row `y`; ear_window_to then moves it along. tap_step: elements from one tap
 * of the filter to the next. */
static inline ear_window_t ear_window_of_row(const ear_conv_t *params, const ear_dims_t *input,
                                             const ear_dims_t *filter, int32_t tap_step, int32_t y)
{
    const int32_t top = y * params->stride_h - params->pad_h;
    const ear_span_t rows = ear_taps_inside(top, filter->h, params->dilation_h, input->h);
    const ear_window_t window = {
        .input_row = (top + rows.first * params->dilation_h) * input->w * input->c,
        .filter_row = rows.first * filter->w * tap_step,
        .rows = rows.end - rows.first,
        .input_row_step = params->dilation_h * input->w * input->c,
        .input_tap_step = params->dilation_w * input->c,
        .filter_row_step = filter->w * tap_step,
        .filter_tap_step = tap_step,
    };
    return window;
}

/* Moves the window to output column `x`. */
static inline void ear_window_to(ear_window_t *window, const ear_conv_t *params,
                                 const ear_dims_t *input, const ear_dims_t *filter, int32_t x)
{
    const int32_t left = x * params->stride_w - params->pad_w;
    const ear_span_t taps = ear_taps_inside(left, filter->w, params->dilation_w, input->w);
    const bool some = taps.end > taps.first && window->rows > 0;
    window->input_at =
        some ? window->input_row + (left + taps.first * params->dilation_w) * input->c : 0;
    window->filter_at = some ? window->filter_row + taps.first * window->filter_tap_step : 0;
    window->taps = some ? taps.end - taps.first : 0;
    const bool touch = window->input_tap_step == window->filter_tap_step;
    window->runs = touch ? 1 : window->taps;
    window->run = touch ? window->taps * window->filter_tap_step : window->filter_tap_step;
}

#endif
