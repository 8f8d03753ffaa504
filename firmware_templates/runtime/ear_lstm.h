/* The steps that LSTM on int8 and int16 shares, behind the sums. */
#ifndef EAR_LSTM_H
#define EAR_LSTM_H

#include "ear_kernels_recurrent.h"
#include "ear_requantize.h"

/* A gate before its function, Q3.12, from both of its sums scaled to that. */
static inline int16_t ear_lstm_gate(int32_t of_input, int32_t of_hidden)
{
    const int32_t both = ear_clamp(of_input, INT16_MIN, INT16_MAX) +
                         ear_clamp(of_hidden, INT16_MIN, INT16_MAX);
    return (int16_t)ear_clamp(both, INT16_MIN, INT16_MAX);
}

/* Applies the functions of one unit's four gates and updates its cell. Returns o * tanh(cell),
 * scaled to hidden values, neither clamped nor with their zero point. */
int32_t ear_lstm_unit(const ear_lstm_t *params, const int16_t *gates, int32_t unit,
                      int16_t *cell);

#endif
