#include "ear_kernels_signal.h"

#include <string.h>

void ear_signal_stacker_s16(const ear_signal_stacker_t *params, int16_t *state, int32_t *held,
                            const int16_t *input, int16_t *output, uint8_t *valid)
{
    const int32_t channels = params->channels;
    const size_t frame_bytes = (size_t)channels * sizeof *state;
    const size_t row_bytes = (size_t)params->stacked * frame_bytes;
    int32_t copies = 1;
    if (*held < 0) {
        *held = 0;
        copies = params->left + 1;
    }
    for (; copies > 0; --copies) {
        memcpy(state + *held * channels, input, frame_bytes);
        ++*held;
    }
    *valid = *held >= params->stacked;
    if (!*valid) {
        memset(output, 0, row_bytes);
        return;
    }
    memcpy(output, state, row_bytes);
    *held -= params->step;
    memmove(state, state + params->step * channels, (size_t)*held * frame_bytes);
}
