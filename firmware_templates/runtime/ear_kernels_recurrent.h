/* Kernels of layers that remember: SVDF and LSTM.
 *
 * What ear_kernels.h says of all kernels holds here too. State is memory of the layer's own, which
 * lasts from one inference to the next; each kernel reads it and leaves it for the next time.
 */
#ifndef EAR_KERNELS_RECURRENT_H
#define EAR_KERNELS_RECURRENT_H

#include "ear.h"
#include "ear_weights.h"

#ifdef __cplusplus
extern "C" {
#endif

/* SVDF: each filter turns the inputs into one value, remembers its last `memory` values, and sums
 * them up with weights in time; `rank` adjacent filters make an output. */
typedef struct {
    int32_t input_offset; /* minus the zero point of the input */
    int32_t feature_multiplier; /* from products of input and filter to values of the state */
    int32_t feature_shift;
    int32_t state_zero_point; /* 0 where the state is int16 */
    int32_t output_multiplier;
    int32_t output_shift;
    int32_t output_offset; /* the zero point of the output */
    int32_t batches;
    int32_t inputs;
    int32_t filters; /* a multiple of rank */
    int32_t memory;
    int32_t rank;
} ear_svdf_t;

/* feature is [filters, inputs]; time is [filters, memory]; bias is int32 [filters / rank]; state
 * is [batches, filters, memory], oldest value first. Sums over time wrap where they leave int32,
 * as they do in the reference. */
void ear_svdf_s8_s16(const ear_svdf_t *params, const int8_t *input, const ear_weights_t *feature,
                     int8_t *scratch, const int16_t *time, const int32_t *bias, int16_t *state,
                     int8_t *output);

/* With a state and weights in time of 8 bits. */
void ear_svdf_s8_s8(const ear_svdf_t *params, const int8_t *input, const ear_weights_t *feature,
                    int8_t *scratch, const int8_t *time, const int32_t *bias, int8_t *state,
                    int8_t *output);

#ifdef __cplusplus
}
#endif

#endif
