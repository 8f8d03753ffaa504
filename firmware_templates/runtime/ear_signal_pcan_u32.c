#include "ear_kernels_signal.h"
#include "ear_micro.h"

void ear_signal_pcan_u32(const ear_signal_pcan_t *params, const uint32_t *input,
                         const uint32_t *noise, const int16_t *gains, uint32_t *output)
{
    for (int32_t i = 0; i < params->channels; ++i) {
        output[i] = ear_gain_controlled(gains, params->snr_shift, input[i], noise[i]);
    }
}
