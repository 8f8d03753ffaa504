/* What the pooling kernels share, on tensors of ear_pooled_t: int8_t, but where EAR_POOLED_T is
 * defined before. The loops over a window are each kernel's own: inlined from here they take more
 * instructions. */
#ifndef EAR_POOL_H
#define EAR_POOL_H

#include "ear_kernels.h"
#include "ear_requantize.h"

#ifndef EAR_POOLED_T
#define EAR_POOLED_T int8_t
#endif

typedef EAR_POOLED_T ear_pooled_t;

/* The elements of a window that are inside the input, in rows of taps, for the first channel. */
typedef struct {
    const ear_pooled_t *from;
    int32_t rows;
    int32_t taps;
} ear_pool_window_t;

/* The window of an output position; positions count through all batches. */
static inline ear_pool_window_t ear_pool_window(const ear_pool_t *params, const ear_dims_t *dims,
                                                const ear_pooled_t *input,
                                                const ear_dims_t *output_dims, int32_t at)
{
    const int32_t row_step = dims->w * dims->c;
    const int32_t plane = output_dims->h * output_dims->w;
    const int32_t top = (at % plane) / output_dims->w * params->stride_h - params->pad_h;
    const int32_t left = at % output_dims->w * params->stride_w - params->pad_w;
    const ear_span_t rows = ear_taps_inside(top, params->filter_h, 1, dims->h);
    const ear_span_t taps = ear_taps_inside(left, params->filter_w, 1, dims->w);
    const ear_pool_window_t window = {
        input + at / plane * dims->h * row_step + (top + rows.first) * row_step +
            (left + taps.first) * dims->c,
        rows.end - rows.first, taps.end - taps.first};
    return window;
}

/* sum / count, rounded half away from zero. */
static inline int32_t ear_pool_mean(int32_t sum, int32_t count)
{
    return sum > 0 ? (sum + count / 2) / count : (sum - count / 2) / count;
}

#endif
