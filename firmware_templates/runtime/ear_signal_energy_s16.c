#include "ear_kernels_signal.h"

void ear_signal_energy_s16(const ear_signal_energy_t *params, const uint32_t *input,
                           uint32_t *output)
{
    for (int32_t i = 0; i < params->bins; ++i) {
        output[i] = i >= params->start && i < params->end ? ear_energy16(input[i]) : 0;
    }
}
