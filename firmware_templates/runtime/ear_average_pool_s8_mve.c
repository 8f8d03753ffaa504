#include "ear_kernels_mve.h"

#include "ear_mve.h"
#include "ear_pool.h"

enum { LANES = 8 };

#if EAR_MVE

/* The outputs of up to eight channels. */
static void pool(const ear_pool_t *params, const ear_pool_window_t *window, int32_t row_step,
                 int32_t channels, int32_t channel, int8_t *output)
{
    const int32_t count = window->rows * window->taps;
    const mve_pred16_t lanes = vctp16q((uint32_t)(channels - channel));
    int16x8_t sums = vdupq_n_s16(0);
    for (int32_t row = 0; row < window->rows; ++row) {
        const int8_t *from = window->from + row * row_step + channel;
        for (int32_t tap = window->taps; tap > 0; --tap, from += channels) {
            sums = vaddq_s16(sums, vldrbq_z_s16(from, lanes));
        }
    }
    /* The quotient of less than 2^15 by up to 255 is the top of a product: the factor is at most
     * 254/255 of 2^-23 too large. */
    const uint32_t factor = ((1u << 23) + (uint32_t)count - 1) / (uint32_t)count;
    const uint16x8_t sizes = vreinterpretq_u16_s16(
        vaddq_n_s16(vabsq_s16(sums), (int16_t)(count / 2)));
    const uint32x4_t even = vmulhq_u32(vshllbq_n_u16(sizes, 9), vdupq_n_u32(factor));
    const uint32x4_t odd = vmulhq_u32(vshlltq_n_u16(sizes, 9), vdupq_n_u32(factor));
    int16x8_t means =
        vmovntq_s32(vmovnbq_s32(vdupq_n_s16(0), vreinterpretq_s32_u32(even)),
                    vreinterpretq_s32_u32(odd));
    means = vnegq_m_s16(means, means, vcmpltq_n_s16(sums, 0));
    means = vmaxq_s16(means, vdupq_n_s16((int16_t)params->output_min));
    means = vminq_s16(means, vdupq_n_s16((int16_t)params->output_max));
    vstrbq_p_s16(output + channel, means, lanes);
}

#else

static void pool(const ear_pool_t *params, const ear_pool_window_t *window, int32_t row_step,
                 int32_t channels, int32_t channel, int8_t *output)
{
    const int32_t end = channels - channel < LANES ? channels : channel + LANES;
    for (; channel < end; ++channel) {
        int32_t sum = 0;
        for (int32_t row = 0; row < window->rows; ++row) {
            const int8_t *from = window->from + row * row_step + channel;
            for (int32_t tap = 0; tap < window->taps; ++tap) {
                sum += from[tap * channels];
            }
        }
        output[channel] = (int8_t)ear_clamp(ear_pool_mean(sum, window->rows * window->taps),
                                            params->output_min, params->output_max);
    }
}

#endif

void ear_average_pool_s8_mve(const ear_pool_t *params, const ear_dims_t *input_dims,
                             const int8_t *input, const ear_dims_t *output_dims, int8_t *output)
{
    const int32_t channels = input_dims->c;
    const int32_t positions = output_dims->n * output_dims->h * output_dims->w;
    for (int32_t at = 0; at < positions; ++at, output += channels) {
        ear_pool_window_t window = ear_pool_window(params, input_dims, input, output_dims, at);
        if (window.taps == input_dims->w) { /* rows follow each other */
            window.taps *= window.rows;
            window.rows = 1;
        }
        for (int32_t channel = 0; channel < channels; channel += LANES) {
            pool(params, &window, input_dims->w * channels, channels, channel, output);
        }
    }
}
