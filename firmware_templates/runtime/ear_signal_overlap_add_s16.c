#include "ear_kernels_signal.h"
#include "ear_requantize.h"

#include <string.h>

static void add_frame(const ear_signal_overlap_add_t *params, int16_t *state,
                      const int16_t *input, int16_t *output)
{
    const size_t length = (size_t)params->length;
    const size_t step = (size_t)params->step;
    for (size_t i = 0; i < length; ++i) {
        state[i] = (int16_t)ear_clamp(input[i] + state[i], INT16_MIN, INT16_MAX);
    }
    memcpy(output, state, step * sizeof *output);
    memmove(state, state + step, (length - step) * sizeof *state);
    memset(state + (length - step), 0, step * sizeof *state);
}

void ear_signal_overlap_add_s16(const ear_signal_overlap_add_t *params, int16_t *state,
                                const int16_t *input, int16_t *output)
{
    for (int32_t row = 0; row < params->rows; ++row) {
        for (int32_t frame = 0; frame < params->frames; ++frame) {
            add_frame(params, state, input, output);
            input += params->length;
            output += params->step;
        }
        state += params->length;
    }
}
