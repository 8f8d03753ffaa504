/* What lies under a filter at one output position of a convolution. */
#ifndef EAR_WINDOW_H
#define EAR_WINDOW_H

#include "ear_kernels.h"
#include "ear_requantize.h"

/* The taps inside the input: `rows` times `taps` of them, none where rows is 0. */
typedef struct {
    int32_t y; /* of the first tap, in the input */
    int32_t x;
    int32_t row; /* of the first tap, in the filter */
    int32_t tap;
    int32_t rows;
    int32_t taps;
} ear_window_t;

static inline ear_window_t ear_window_at(const ear_conv_t *params, const ear_dims_t *input,
                                         const ear_dims_t *filter, int32_t y, int32_t x)
{
    const int32_t top = y * params->stride_h - params->pad_h;
    const int32_t left = x * params->stride_w - params->pad_w;
    const ear_span_t rows = ear_taps_inside(top, filter->h, params->dilation_h, input->h);
    const ear_span_t taps = ear_taps_inside(left, filter->w, params->dilation_w, input->w);
    ear_window_t window = {0, 0, 0, 0, 0, 0};
    if (taps.end <= taps.first || rows.end <= rows.first) {
        return window; /* a dilated filter can have all its taps in the padding */
    }
    window.y = top + rows.first * params->dilation_h;
    window.x = left + taps.first * params->dilation_w;
    window.row = rows.first;
    window.tap = taps.first;
    window.rows = rows.end - rows.first;
    window.taps = taps.end - taps.first;
    return window;
}

#endif
