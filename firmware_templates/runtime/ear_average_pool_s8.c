#include "ear_kernels.h"

#include <string.h>

#define EAR_POOLED_T int8_t
#include "ear_pool.h"

/* Elements whose sum, each raised to 0 to 255, fits 16 bits. */
#define MOST_IN_LANES 257
#define EVEN_BYTES 0x00ff00ffu

/* The sums of four channels: each word has four values, and two sums of 16 bits are in a word. */
static void four_sums(const ear_pool_window_t *window, int32_t channel, int32_t row_step,
                      int32_t channels, int32_t sums[4])
{
    uint32_t even = 0;
    uint32_t odd = 0;
    for (int32_t row = 0; row < window->rows; ++row) {
        const int8_t *from = window->from + row * row_step + channel;
        for (int32_t tap = 0; tap < window->taps; ++tap, from += channels) {
            uint32_t word;
            memcpy(&word, from, sizeof word);
            word ^= 0x80808080u;
            even += word & EVEN_BYTES;
            odd += word >> 8 & EVEN_BYTES;
        }
    }
    const int32_t raised = 128 * window->rows * window->taps;
    sums[0] = (int32_t)(even & 0xffffu) - raised;
    sums[1] = (int32_t)(odd & 0xffffu) - raised;
    sums[2] = (int32_t)(even >> 16) - raised;
    sums[3] = (int32_t)(odd >> 16) - raised;
}

static int32_t one_sum(const ear_pool_window_t *window, int32_t channel, int32_t row_step,
                       int32_t channels)
{
    int32_t sum = 0;
    for (int32_t row = 0; row < window->rows; ++row) {
        const int8_t *value = window->from + row * row_step + channel;
        for (int32_t tap = 0; tap < window->taps; ++tap, value += channels) {
            sum += *value;
        }
    }
    return sum;
}

void ear_average_pool_s8(const ear_pool_t *params, const ear_dims_t *input_dims,
                         const int8_t *input, const ear_dims_t *output_dims, int8_t *output)
{
    const int32_t channels = input_dims->c;
    const int32_t row_step = input_dims->w * channels;
    const int32_t positions = output_dims->n * output_dims->h * output_dims->w;
    for (int32_t at = 0; at < positions; ++at) {
        const ear_pool_window_t window =
            ear_pool_window(params, input_dims, input, output_dims, at);
        const int32_t count = window.rows * window.taps;
        const int32_t fours = count <= MOST_IN_LANES ? channels / 4 * 4 : 0;
        for (int32_t channel = 0; channel < channels;) {
            int32_t sums[4];
            int32_t made = 1;
            if (channel < fours) {
                four_sums(&window, channel, row_step, channels, sums);
                made = 4;
            } else {
                sums[0] = one_sum(&window, channel, row_step, channels);
            }
            for (int32_t i = 0; i < made; ++i) {
                *output++ = (int8_t)ear_clamp(ear_pool_mean(sums[i], count), params->output_min,
                                              params->output_max);
            }
            channel += made;
        }
    }
}
