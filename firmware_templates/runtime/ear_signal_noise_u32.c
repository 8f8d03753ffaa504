#include "ear_kernels_signal.h"
#include "ear_micro.h"

void ear_signal_noise_u32(const ear_signal_noise_t *params, uint32_t *state,
                          const uint32_t *input, uint32_t *output, uint32_t *noise)
{
    for (int32_t i = 0; i < params->channels; ++i) {
        const ear_noise_t shares = {
            .smoothing = params->smoothing[i & 1],
            .keeping = params->keeping[i & 1],
            .min_remaining = params->min_remaining,
            .smoothing_bits = params->smoothing_bits,
            .share_bits = params->share_bits,
        };
        const uint32_t scaled = input[i] << params->smoothing_bits;
        const uint32_t estimate = ear_noise_estimate(&shares, scaled, state[i]);
        output[i] = ear_noise_reduced(&shares, input[i], scaled, estimate);
        state[i] = params->clamping && estimate > scaled ? scaled : estimate;
        noise[i] = state[i];
    }
}
