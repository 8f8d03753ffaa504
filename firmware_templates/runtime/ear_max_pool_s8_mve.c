#include "ear_kernels_mve.h"

#include "ear_mve.h"
#include "ear_pool.h"

#if EAR_MVE

/* The outputs of up to 16 channels. */
static void pool(const ear_pool_t *params, const ear_pool_window_t *window, int32_t row_step,
                 int32_t channels, int32_t channel, int8_t *output)
{
    const mve_pred16_t lanes = vctp8q((uint32_t)(channels - channel));
    int8x16_t most = vdupq_n_s8((int8_t)params->output_min);
    for (int32_t row = 0; row < window->rows; ++row) {
        const int8_t *from = window->from + row * row_step + channel;
        for (int32_t tap = window->taps; tap > 0; --tap, from += channels) {
            most = vmaxq_s8(most, vldrbq_z_s8(from, lanes));
        }
    }
    most = vminq_s8(most, vdupq_n_s8((int8_t)params->output_max));
    vstrbq_p_s8(output + channel, most, lanes);
}

#else

static void pool(const ear_pool_t *params, const ear_pool_window_t *window, int32_t row_step,
                 int32_t channels, int32_t channel, int8_t *output)
{
    const int32_t rest = channels - channel;
    const int32_t end = rest < EAR_MVE_BYTES ? channels : channel + EAR_MVE_BYTES;
    for (; channel < end; ++channel) {
        int32_t most = params->output_min;
        for (int32_t row = 0; row < window->rows; ++row) {
            const int8_t *from = window->from + row * row_step + channel;
            for (int32_t tap = 0; tap < window->taps; ++tap) {
                const int32_t value = from[tap * channels];
                most = value > most ? value : most;
            }
        }
        output[channel] = (int8_t)(most < params->output_max ? most : params->output_max);
    }
}

#endif

void ear_max_pool_s8_mve(const ear_pool_t *params, const ear_dims_t *input_dims,
                         const int8_t *input, const ear_dims_t *output_dims, int8_t *output)
{
    const int32_t channels = input_dims->c;
    const int32_t positions = output_dims->n * output_dims->h * output_dims->w;
    for (int32_t at = 0; at < positions; ++at, output += channels) {
        const ear_pool_window_t window =
            ear_pool_window(params, input_dims, input, output_dims, at);
        for (int32_t channel = 0; channel < channels; channel += EAR_MVE_BYTES) {
            pool(params, &window, input_dims->w * channels, channels, channel, output);
        }
    }
}
