#include "ear_kernels_recurrent.h"

#include "ear_dot_s8.h"
#include "ear_lstm.h"

/* Four sums of products, scaled to Q3.12. */
static void scale4(int32_t sums[4], int32_t multiplier, int32_t shift)
{
    for (int32_t i = 0; i < 4; ++i) {
        sums[i] = ear_scale(sums[i], multiplier, shift);
    }
}

/* Rows first to end - 1 of one gate, with their weights: 4 at a time, then one by one. */
static void gate_rows(const ear_lstm_t *params, int32_t gate, const int8_t *input,
                      const int8_t *hidden, const int8_t *weights, const int32_t *bias,
                      int32_t first, int32_t end, int16_t *gates)
{
    const int32_t inputs = params->inputs;
    const int32_t row = inputs + params->units;
    const int32_t of_input = params->input_multiplier[gate];
    const int32_t of_hidden = params->hidden_multiplier[gate];
    int32_t at = first;
    for (; at + 4 <= end; at += 4, weights += 4 * row) {
        int32_t sums[4] = {bias[at], bias[at + 1], bias[at + 2], bias[at + 3]};
        int32_t more[4] = {0, 0, 0, 0};
        ear_dot4_s8(input, params->input_offset, weights, row, inputs, sums);
        ear_dot4_s8(hidden, params->hidden_offset, weights + inputs, row, params->units, more);
        scale4(sums, of_input, params->input_shift[gate]);
        scale4(more, of_hidden, params->hidden_shift[gate]);
        for (int32_t i = 0; i < 4; ++i) {
            gates[at + i] = ear_lstm_gate(sums[i], more[i]);
        }
    }
    for (; at < end; ++at, weights += row) {
        const int32_t sum = ear_wrapping_sum(
            bias[at], ear_dot_s8(input, params->input_offset, weights, inputs));
        const int32_t more =
            ear_dot_s8(hidden, params->hidden_offset, weights + inputs, params->units);
        gates[at] = ear_lstm_gate(ear_scale(sum, of_input, params->input_shift[gate]),
                                  ear_scale(more, of_hidden, params->hidden_shift[gate]));
    }
}

/* All gates; a block of weights may reach over the end of one. */
static void compute_gates(const ear_lstm_t *params, const int8_t *input, const int8_t *hidden,
                          const ear_weights_t *weights, const int32_t *bias, int16_t *gates)
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

void ear_lstm_s8(const ear_lstm_t *params, const int8_t *input, const ear_weights_t *weights,
                 int16_t *scratch, const int32_t *bias, int8_t *hidden, int16_t *cell,
                 int8_t *output)
{
    const int32_t units = params->units;
    for (int32_t n = 0; n < params->batches; ++n, hidden += units, cell += units) {
        for (int32_t t = 0; t < params->steps; ++t) {
            const int32_t at = t * params->time_stride + n * params->batch_stride;
            compute_gates(params, input + at * params->inputs, hidden, weights, bias, scratch);
            for (int32_t unit = 0; unit < units; ++unit) {
                const int32_t value = ear_lstm_unit(params, scratch, unit, cell);
                hidden[unit] =
                    (int8_t)ear_clamp(value - params->hidden_offset, INT8_MIN, INT8_MAX);
                output[at * units + unit] = hidden[unit];
            }
        }
    }
}
