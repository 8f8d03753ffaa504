#include "ear_kernels_recurrent.h"

#include "ear_dot_s16.h"
#include "ear_lstm.h"

/* What exceeds int32 wraps, as in the reference. */
static int32_t scaled(int64_t sum, int32_t factor, int32_t shift)
{
    return (int32_t)((sum * factor + ((int64_t)1 << (shift - 1))) >> shift);
}

static int16_t gate_of(const ear_lstm_t *params, int32_t gate, int64_t sum, int64_t more)
{
    return ear_lstm_gate(
        scaled(sum, params->input_multiplier[gate], params->input_shift[gate]),
        scaled(more, params->hidden_multiplier[gate], params->hidden_shift[gate]));
}

/* Rows first to end - 1 of one gate, with their weights: 4 at a time where 32 bits hold their
 * sums of products, the others one by one. */
static void gate_rows(const ear_lstm_t *params, int32_t gate, const int16_t *input,
                      const int16_t *hidden, const int8_t *weights, const int64_t *bias,
                      int32_t first, int32_t end, int16_t *gates)
{
    const int32_t inputs = params->inputs;
    const int32_t row = inputs + params->units;
    int32_t at = first;
    for (; params->fits && at + 4 <= end; at += 4, weights += 4 * row) {
        int32_t sums[4] = {0, 0, 0, 0};
        int32_t more[4] = {0, 0, 0, 0};
        ear_dot4_s16(input, weights, row, inputs, sums);
        ear_dot4_s16(hidden, weights + inputs, row, params->units, more);
        for (int32_t i = 0; i < 4; ++i) {
            gates[at + i] = gate_of(params, gate, bias[at + i] + sums[i], more[i]);
        }
    }
    for (; at < end; ++at, weights += row) {
        const int64_t sum = bias[at] + ear_dot_s16(input, weights, inputs);
        const int64_t more = ear_dot_s16(hidden, weights + inputs, params->units);
        gates[at] = gate_of(params, gate, sum, more);
    }
}

/* All gates; a block of weights may reach over the end of one. */
static void compute_gates(const ear_lstm_t *params, const int16_t *input, const int16_t *hidden,
                          const ear_weights_t *weights, const int64_t *bias, int16_t *gates)
{
    const int32_t rows = 4 * params->units;
    const int32_t row = params->inputs + params->units;
    const int32_t step = ear_weights_block(weights, rows);
    int8_t *const scratch = (int8_t *)(gates + rows);
    for (int32_t first = 0; first < rows; first += step) {
        const int32_t end = rows - first < step ? rows : first + step;
        const int8_t *block = ear_weights_rows(weights, row, first, end - first, scratch);
        for (int32_t at = first; at < end;) {
            const int32_t gate = at / params->units;
            const int32_t gate_end = (gate + 1) * params->units;
            const int32_t until = gate_end < end ? gate_end : end;
            gate_rows(params, gate, input, hidden, block, bias, at, until, gates);
            block += (until - at) * row;
            at = until;
        }
    }
}

void ear_lstm_s16(const ear_lstm_t *params, const int16_t *input, const ear_weights_t *weights,
                  int16_t *scratch, const int64_t *bias, int16_t *hidden, int16_t *cell,
                  int16_t *output)
{
    const int32_t units = params->units;
    for (int32_t n = 0; n < params->batches; ++n, hidden += units, cell += units) {
        for (int32_t t = 0; t < params->steps; ++t) {
            const int32_t at = t * params->time_stride + n * params->batch_stride;
            compute_gates(params, input + at * params->inputs, hidden, weights, bias, scratch);
            for (int32_t unit = 0; unit < units; ++unit) {
                const int32_t value = ear_lstm_unit(params, scratch, unit, cell);
                hidden[unit] = (int16_t)ear_clamp(value, INT16_MIN, INT16_MAX);
                output[at * units + unit] = hidden[unit];
            }
        }
    }
}
