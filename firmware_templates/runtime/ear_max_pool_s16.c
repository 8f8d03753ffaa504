#include "ear_kernels_s16.h"

#include "ear_requantize.h"

void ear_max_pool_s16(const ear_pool_t *params, const ear_dims_t *input_dims, const int16_t *input,
                     const ear_dims_t *output_dims, int16_t *output)
{
    const int32_t channels = input_dims->c;
    const int32_t row_step = input_dims->w * channels;
    const int32_t plane = output_dims->h * output_dims->w;
    for (int32_t at = 0; at < output_dims->n * plane; ++at) {
        const int32_t top = (at % plane) / output_dims->w * params->stride_h - params->pad_h;
        const int32_t left = at % output_dims->w * params->stride_w - params->pad_w;
        const ear_span_t rows = ear_taps_inside(top, params->filter_h, 1, input_dims->h);
        const ear_span_t taps = ear_taps_inside(left, params->filter_w, 1, input_dims->w);
        const int16_t *const from = input + at / plane * input_dims->h * row_step +
                                   (top + rows.first) * row_step + (left + taps.first) * channels;
        for (int32_t channel = 0; channel < channels; ++channel) {
            int32_t most = INT16_MIN;
            for (int32_t row = 0; row < rows.end - rows.first; ++row) {
                const int16_t *value = from + row * row_step + channel;
                for (int32_t tap = taps.first; tap < taps.end; ++tap, value += channels) {
                    most = *value > most ? *value : most;
                }
            }
            *output++ = (int16_t)ear_clamp(most, params->output_min, params->output_max);
        }
    }
}
