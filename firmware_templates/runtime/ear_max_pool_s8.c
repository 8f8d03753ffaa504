#include "ear_kernels.h"

#define EAR_POOLED_T int8_t
#include "ear_pool.h"

void ear_max_pool_s8(const ear_pool_t *params, const ear_dims_t *input_dims,
                     const int8_t *input, const ear_dims_t *output_dims, int8_t *output)
{
    const int32_t channels = input_dims->c;
    const int32_t row_step = input_dims->w * channels;
    const int32_t positions = output_dims->n * output_dims->h * output_dims->w;
    for (int32_t at = 0; at < positions; ++at) {
        const ear_pool_window_t window =
            ear_pool_window(params, input_dims, input, output_dims, at);
        for (int32_t channel = 0; channel < channels; ++channel) {
            int32_t most = INT8_MIN;
            for (int32_t row = 0; row < window.rows; ++row) {
                const int8_t *value = window.from + row * row_step + channel;
                for (int32_t tap = 0; tap < window.taps; ++tap, value += channels) {
                    most = *value > most ? *value : most;
                }
            }
            *output++ = (int8_t)ear_clamp(most, params->output_min, params->output_max);
        }
    }
}
