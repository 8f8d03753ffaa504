#include "ear_lstm.h"

#include "ear_sigmoid_s16.h"

/* From Q3.12 to steps of 1/12288. */
#define GATE_STEPS 3

static int32_t saturate(int32_t x)
{
    return ear_clamp(x, INT16_MIN, INT16_MAX);
}

int32_t ear_lstm_unit(const ear_lstm_t *params, const int16_t *gates, int32_t unit,
                      int16_t *cell)
{
    const uint16_t *const sigmoid = params->sigmoid;
    const int32_t units = params->units;
    const int32_t i = ear_sigmoid_logistic_s16(sigmoid, GATE_STEPS * gates[unit]);
    const int32_t f = ear_sigmoid_logistic_s16(sigmoid, GATE_STEPS * gates[units + unit]);
    const int32_t o = ear_sigmoid_logistic_s16(sigmoid, GATE_STEPS * gates[2 * units + unit]);
    const int32_t g = ear_sigmoid_tanh_s16(sigmoid, GATE_STEPS * gates[3 * units + unit]);
    const int32_t old = ear_scale(f * cell[unit], params->forget_multiplier, params->forget_shift);
    const int32_t new = ear_scale(i * g, params->cell_multiplier, params->cell_shift);
    const int32_t sum = saturate(saturate(old) + saturate(new));
    cell[unit] = (int16_t)ear_clamp(sum, -params->cell_limit, params->cell_limit);
    const int32_t at =
        ear_sigmoid_input_s16(cell[unit], params->tanh_multiplier, params->tanh_shift);
    return ear_scale(o * ear_sigmoid_tanh_s16(sigmoid, at), params->output_multiplier,
                     params->output_shift);
}
