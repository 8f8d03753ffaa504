/* Kernels that reduce a tensor along axes, or resize it: int8, but where a name says otherwise.
 * Bits and common rules are those of ear_kernels.h.
 */
#ifndef EAR_KERNELS_REDUCE_H
#define EAR_KERNELS_REDUCE_H

#include "ear.h"

#ifdef __cplusplus
extern "C" {
#endif

/* REDUCE_MAX, REDUCE_MIN and REDUCE_ALL over any axes, as ear_mean_t has them: the dimensions that stay and
 * those that are reduced, outermost first, each with its stride; unused ones have size 1. */
typedef struct {
    int32_t kept[3];
    int32_t kept_stride[3];
    int32_t reduced[3];
    int32_t reduced_stride[3];
    int32_t sign; /* 1 for the largest, -1 for the smallest */
} ear_extreme_t;

void ear_extreme_s8(const ear_extreme_t *params, const int8_t *input, int8_t *output);

/* ARG_MAX and ARG_MIN along the middle one of three dimensions: the first index of those with the
 * largest or smallest value. */
typedef struct {
    int32_t outer;
    int32_t size;
    int32_t inner;
    bool largest;
} ear_arg_extreme_t;

void ear_arg_extreme_s8(const ear_arg_extreme_t *params, const int8_t *input, int32_t *output);
void ear_arg_extreme_f32(const ear_arg_extreme_t *params, const float *input, int32_t *output);

/* CUMSUM along the middle one of three dimensions. Sums have 19 bits below the point and wrap in
 * 32 bits, as in the reference; they begin at minus the zero point, as there. */
typedef struct {
    int32_t outer;
    int32_t size;
    int32_t inner;
    int32_t start; /* elements to the first of a sum: that of the last index if it runs backwards */
    int32_t step;  /* elements to the next: inner, or -inner */
    bool exclusive; /* an output is the sum of the elements before it */
    int32_t input_offset;
    int32_t output_multiplier;
    int32_t output_shift; /* -31 to 0 */
    int32_t output_offset;
} ear_cumsum_t;

void ear_cumsum_s8(const ear_cumsum_t *params, const int8_t *input, int8_t *output);

/* RESIZE_BILINEAR on NHWC. Of each row of the output, `row` holds the offsets of the two rows of
 * the input around it, in elements, and its distance from the first in 1 / 1024; `column`
 * likewise. */
typedef struct {
    int32_t batches;
    int32_t batch_elements; /* of the input */
    int32_t height;         /* of the output */
    int32_t width;
    int32_t channels;
    const int32_t *row;
    const int32_t *column;
} ear_resize_bilinear_t;

void ear_resize_bilinear_s8(const ear_resize_bilinear_t *params, const int8_t *input,
                            int8_t *output);

#ifdef __cplusplus
}
#endif

#endif
