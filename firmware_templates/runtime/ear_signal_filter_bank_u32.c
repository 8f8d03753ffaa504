#include "ear_kernels_signal.h"

void ear_signal_filter_bank_u32(const ear_signal_filter_bank_t *params, const uint32_t *input,
                                const int16_t *weights, const int16_t *unweights,
                                uint64_t *output)
{
    uint64_t carried = 0;
    for (int32_t band = 0; band <= params->channels; ++band) {
        const uint32_t *const bins = input + params->bin_starts[band];
        const int32_t first = params->weight_starts[band];
        uint64_t here = carried;
        carried = 0;
        for (int32_t i = 0; i < params->widths[band]; ++i) {
            /* modulo 2^64, also for negative weights */
            here += (uint64_t)weights[first + i] * bins[i];
            carried += (uint64_t)unweights[first + i] * bins[i];
        }
        if (band > 0) {
            output[band - 1] = here;
        }
    }
}
