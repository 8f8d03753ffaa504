/* Kernels of functions that no table of bytes can hold: ABS on int16, PRELU, LOG_SOFTMAX,
 * L2_NORMALIZATION.
 *
 * What ear_kernels.h says of all kernels holds here too.
 */
#ifndef EAR_KERNELS_FUNCTIONS_H
#define EAR_KERNELS_FUNCTIONS_H

#include "ear_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ABS; offsets are 0. May work in place. */
void ear_abs_s16(const ear_rescale_t *params, const int16_t *input, int16_t *output);

/* PRELU: inputs from their zero point up are scaled by the first factor, those below times alpha
 * by the second. */
typedef struct {
    int32_t input_offset; /* minus the zero points */
    int32_t alpha_offset;
    int32_t output_offset; /* the zero point of the output */
    int32_t multiplier;
    int32_t shift;
    int32_t below_multiplier;
    int32_t below_shift;
} ear_prelu_t;

void ear_prelu_s8(const ear_prelu_t *params, const ear_broadcast_t *shape, const int8_t *input,
                  const int8_t *alpha, int8_t *output);
void ear_prelu_s16(const ear_prelu_t *params, const ear_broadcast_t *shape, const int16_t *input,
                   const int8_t *alpha, int16_t *output);

/* LOG_SOFTMAX over the innermost dimension; output scale and zero point are 1/16 and 127. exps and
 * count are those of ear_softmax_t, for a beta of 1. */
typedef struct {
    const int32_t *exps;
    int32_t count;
    int32_t multiplier; /* from differences of inputs to Q5.26 */
    int32_t shift;
    int32_t back_multiplier; /* from Q5.26 to differences of inputs */
    int32_t back_shift;
    int32_t rows;
    int32_t depth; /* below 4096 */
} ear_log_softmax_t;

void ear_log_softmax_s8(const ear_log_softmax_t *params, const int8_t *input, int8_t *output);

/* L2_NORMALIZATION over the innermost dimension; output scale and zero point are 1/128 and 0. The
 * squares of a row, without zero point, sum up to less than 2^31. May work in place. */
typedef struct {
    int32_t input_offset; /* minus the zero point */
    int32_t rows;
    int32_t depth;
} ear_l2_normalization_t;

void ear_l2_normalization_s8(const ear_l2_normalization_t *params, const int8_t *input,
                             int8_t *output);

#ifdef __cplusplus
}
#endif

#endif
