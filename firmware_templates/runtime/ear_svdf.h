/* The steps that SVDF with states of both widths shares. */
#ifndef EAR_SVDF_H
#define EAR_SVDF_H

#include "ear_kernels_recurrent.h"
#include "ear_requantize.h"

/* Drops the oldest value of each filter and computes a new one behind the others. The state is
 * int16, or int8 where `wide` is false; values are clamped to that, then get their zero point. */
void ear_svdf_remember(const ear_svdf_t *params, const int8_t *input,
                       const ear_weights_t *feature, int8_t *scratch, void *state, bool wide);

/* The output from the sum over time and bias, kept modulo 2^32. */
static inline int8_t ear_svdf_output(const ear_svdf_t *params, uint32_t sum)
{
    return (int8_t)ear_scale_to((int32_t)sum, params->output_multiplier, params->output_shift,
                                params->output_offset, INT8_MIN, INT8_MAX);
}

#endif
