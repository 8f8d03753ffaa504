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

/* UNIDIRECTIONAL_SEQUENCE_LSTM without peepholes, projection and layer normalization. For each step
 * in time, with the gates input (i), forget (f), output (o) and cell (g) in this order:
 *
 *     gates = weights * [input, hidden] + bias      i, f, o = logistic, g = tanh of them
 *     cell = f * cell + i * g                       hidden = o * tanh(cell) = output
 *
 * Sums over inputs and sums over hidden values are scaled to Q3.12 and saturated each by itself.
 * Vector n of input and output, for step t of batch b, is t * time_stride + b * batch_stride. */
typedef struct {
    const uint16_t *sigmoid; /* as of ear_sigmoid_s16_t */
    int32_t input_offset;    /* minus the zero points; 0 on int16 */
    int32_t hidden_offset;
    int32_t input_multiplier[4]; /* of each gate, from sums over inputs to Q3.12 */
    int32_t input_shift[4];
    int32_t hidden_multiplier[4]; /* of each gate, from sums over hidden values */
    int32_t hidden_shift[4];
    int32_t forget_multiplier; /* from f * cell to cell */
    int32_t forget_shift;
    int32_t cell_multiplier; /* from i * g to cell */
    int32_t cell_shift;
    int32_t output_multiplier; /* from o * tanh(cell) to hidden */
    int32_t output_shift;
    int32_t tanh_multiplier; /* as of ear_sigmoid_s16_t, for cell values */
    int32_t tanh_shift;
    int32_t cell_limit; /* |cell| is clamped to it; 32768 is no limit */
    int32_t steps;
    int32_t batches;
    int32_t time_stride;
    int32_t batch_stride;
    int32_t inputs;
    int32_t units;
    int32_t fits; /* int16 only: 1 where sums of products stay within int32, in any order */
} ear_lstm_t;

/* weights are [4 gates * units, inputs + units], bias is int32 [4 gates * units]. scratch: 8 bytes
 * for each unit, 4-byte aligned, then that of the weights. hidden is [batches, units] with the
 * quantization of the output, cell is [batches, units]. */
void ear_lstm_s8(const ear_lstm_t *params, const int8_t *input, const ear_weights_t *weights,
                 int16_t *scratch, const int32_t *bias, int8_t *hidden, int16_t *cell,
                 int8_t *output);

/* Here the input and hidden multipliers are factors of one rounding, half up: factor / 2^shift,
 * 2^14 <= factor < 2^15 (or 0) and 8 <= shift <= 46. bias is int64. */
void ear_lstm_s16(const ear_lstm_t *params, const int16_t *input, const ear_weights_t *weights,
                  int16_t *scratch, const int64_t *bias, int16_t *hidden, int16_t *cell,
                  int16_t *output);

#ifdef __cplusplus
}
#endif

#endif
