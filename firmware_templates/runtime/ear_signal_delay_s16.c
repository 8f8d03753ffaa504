#include "ear_kernels_signal.h"

#include <string.h>

void ear_signal_delay_s16(const ear_signal_delay_t *params, int16_t *state, const int16_t *input,
                          int16_t *output)
{
    const size_t length = (size_t)params->length;
    const size_t delay = (size_t)params->delay;
    /* of a row's output, samples that come from the state; of its input, samples that go to it */
    const size_t moved = delay < length ? delay : length;
    for (int32_t row = 0; row < params->rows; ++row) {
        memcpy(output, state, moved * sizeof *state);
        memcpy(output + moved, input, (length - moved) * sizeof *input);
        memmove(state, state + moved, (delay - moved) * sizeof *state);
        memcpy(state + (delay - moved), input + (length - moved), moved * sizeof *input);
        state += delay;
        input += length;
        output += length;
    }
}
