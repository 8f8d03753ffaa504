#include "ear_kernels.h"

#include "ear_dsp.h"

#define EAR_POOLED_T int8_t
#include "ear_pool.h"

#if EAR_DSP
/* The largest of four channels at once. */
static uint32_t four_most(const ear_pool_window_t *window, int32_t channel, int32_t row_step,
                          int32_t channels)
{
    uint32_t most = 0x80808080u;
    for (int32_t row = 0; row < window->rows; ++row) {
        const int8_t *from = window->from + row * row_step + channel;
        for (int32_t tap = 0; tap < window->taps; ++tap, from += channels) {
            most = ear_dsp_most(most, ear_dsp_quad(from));
        }
    }
    return most;
}
#endif

static int32_t one_most(const ear_pool_window_t *window, int32_t channel, int32_t row_step,
                        int32_t channels)
{
    int32_t most = INT8_MIN;
    for (int32_t row = 0; row < window->rows; ++row) {
        const int8_t *value = window->from + row * row_step + channel;
        for (int32_t tap = 0; tap < window->taps; ++tap, value += channels) {
            most = *value > most ? *value : most;
        }
    }
    return most;
}

void ear_max_pool_s8(const ear_pool_t *params, const ear_dims_t *input_dims,
                     const int8_t *input, const ear_dims_t *output_dims, int8_t *output)
{
    const int32_t channels = input_dims->c;
    const int32_t row_step = input_dims->w * channels;
    const int32_t positions = output_dims->n * output_dims->h * output_dims->w;
    for (int32_t at = 0; at < positions; ++at) {
        const ear_pool_window_t window =
            ear_pool_window(params, input_dims, input, output_dims, at);
        int32_t channel = 0;
#if EAR_DSP
        if (params->output_min == INT8_MIN && params->output_max == INT8_MAX) {
            for (; channel + 4 <= channels; channel += 4, output += 4) {
                const uint32_t most = four_most(&window, channel, row_step, channels);
                memcpy(output, &most, sizeof most);
            }
        }
#endif
        for (; channel < channels; ++channel) {
            *output++ = (int8_t)ear_clamp(one_most(&window, channel, row_step, channels),
                                          params->output_min, params->output_max);
        }
    }
}
