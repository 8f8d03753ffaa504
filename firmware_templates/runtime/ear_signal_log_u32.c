#include "ear_kernels_signal.h"
#include "ear_micro.h"

void ear_signal_log_u32(const ear_signal_log_t *params, const uint32_t *input, int16_t *output)
{
    for (int32_t i = 0; i < params->channels; ++i) {
        const uint32_t x = input[i] << params->correction_bits;
        const uint32_t ln = x > 1 ? ear_ln(params->log2_bend, x) : 0;
        const uint32_t scaled = (params->scale * ln + 32768) >> 16;
        output[i] = (int16_t)(scaled < INT16_MAX ? scaled : INT16_MAX);
    }
}
