#include "ear_kernels_signal.h"

#include <string.h>

/* Take `step` samples in. Returns whether they completed a frame, which is written then. */
static uint8_t take(const ear_signal_framer_t *params, int16_t *state, int32_t *held,
                    const int16_t *input, int16_t *frame)
{
    const size_t step = (size_t)params->step;
    const size_t kept = (size_t)params->kept;
    const size_t length = (size_t)params->length;
    if (*held < params->kept) {
        memcpy(state + *held, input, step * sizeof *input);
        *held += params->step;
        memset(frame, 0, length * sizeof *frame);
        return 0;
    }
    const size_t old = kept < length ? kept : length;
    memcpy(frame, state, old * sizeof *frame);
    memcpy(frame + old, input, (length - old) * sizeof *frame);
    const size_t fresh = step < kept ? step : kept;
    memmove(state, state + fresh, (kept - fresh) * sizeof *state);
    memcpy(state + (kept - fresh), input + (step - fresh), fresh * sizeof *state);
    return 1;
}

void ear_signal_framer_s16(const ear_signal_framer_t *params, int16_t *state, int32_t *held,
                           const int16_t *input, int16_t *output, uint8_t *valid)
{
    const int32_t before = *held;
    uint8_t all = 1;
    for (int32_t row = 0; row < params->rows; ++row) {
        *held = before;
        for (int32_t frame = 0; frame < params->frames; ++frame) {
            all &= take(params, state, held, input, output);
            input += params->step;
            output += params->length;
        }
        state += params->kept;
    }
    *valid = all;
}
