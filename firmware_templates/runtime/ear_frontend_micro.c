#include "ear_frontend_micro.h"

#include "ear_micro.h"

#define WINDOW_BITS 12
#define SHARE_BITS 14

static inline int32_t windowed(int32_t sample, int32_t weight, int32_t *largest)
{
    const int32_t value = (sample * weight) >> WINDOW_BITS;
    const int32_t size = value < 0 ? -value : value;
    /* -32768 has no positive in 16 bits: upstream does not see it here, so neither may we */
    if (size > *largest && size <= INT16_MAX) {
        *largest = size;
    }
    return value;
}

/* Window the frame into the FFT's order. Returns the left shift that then fills 16 bits. */
static uint32_t load_frame(const ear_frontend_micro_t *micro, const int16_t *samples,
                           uint32_t *spectrum)
{
    const int16_t *weights = micro->window;
    const uint16_t *const order = micro->fft.order;
    const uint32_t pairs = micro->window_samples / 2;
    int32_t largest = 0;
    for (uint32_t i = 0; i < pairs; ++i) {
        const int32_t even = windowed(samples[0], weights[0], &largest);
        const int32_t odd = windowed(samples[1], weights[1], &largest);
        spectrum[order[i]] = ear_pack16(even, odd);
        samples += 2;
        weights += 2;
    }
    for (uint32_t i = pairs; i < micro->fft.points; ++i) {
        spectrum[order[i]] = 0;
    }
    if (micro->window_samples & 1u) {
        spectrum[order[pairs]] = ear_pack16(windowed(samples[0], weights[0], &largest), 0);
    }
    return 15u - ear_bit_length((uint32_t)largest);
}

static void shift_left(uint32_t *spectrum, uint32_t points, uint32_t shift)
{
    for (uint32_t i = 0; i < points; ++i) {
        const uint32_t word = spectrum[i];
        spectrum[i] = ((word & 0xFFFF0000u) << shift) | ((word << shift) & 0xFFFFu);
    }
}

/* Magnitude of each channel. A bin counts for the band that it lies in and for the next one, with
 * weights that add up to 1; the first band only serves the first channel's lower half. */
static void sum_bands(const ear_frontend_micro_t *micro, const uint32_t *spectrum, uint32_t shift,
                      uint32_t *signal)
{
    const uint32_t *bin = spectrum + micro->first_bin;
    const uint32_t *weight = micro->weights;
    int64_t carried = 0;
    for (uint32_t band = 0; band <= micro->channels; ++band) {
        int64_t here = carried;
        carried = 0;
        for (uint32_t i = 0; i < micro->widths[band]; ++i) {
            const int32_t energy = (int32_t)ear_energy16(*bin++);
            here += (int64_t)energy * ear_low16(*weight);
            carried += (int64_t)energy * ear_high16(*weight++);
        }
        if (band > 0) {
            signal[band - 1] = ear_rounded_root((uint64_t)here) >> shift;
        }
    }
}

static uint32_t reduce_noise(const ear_frontend_micro_t *micro, uint32_t channel, uint32_t signal,
                             uint32_t *estimate)
{
    const uint32_t smoothing = channel & 1 ? micro->odd_smoothing : micro->even_smoothing;
    const ear_noise_t noise = {
        .smoothing = smoothing,
        .keeping = (1u << SHARE_BITS) - smoothing,
        .min_remaining = micro->min_remaining,
        .smoothing_bits = micro->smoothing_bits,
        .share_bits = SHARE_BITS,
    };
    const uint32_t scaled = signal << micro->smoothing_bits;
    *estimate = ear_noise_estimate(&noise, scaled, *estimate);
    return micro->noise_reduction ? ear_noise_reduced(&noise, signal, scaled, *estimate) : signal;
}

/* ln(x) * 2^log_shift; 0 for x of 0 and 1. */
static int16_t logarithm(const ear_frontend_micro_t *micro, uint32_t x)
{
    if (x <= 1) {
        return 0;
    }
    return (int16_t)(((ear_ln(micro->log2_bend, x) << micro->log_shift) + 32768) >> 16);
}

void ear_frontend_micro(const void *tables, const int16_t *samples, uint32_t *state,
                        uint32_t *scratch, int16_t *features)
{
    const ear_frontend_micro_t *const micro = tables;
    uint32_t *const spectrum = scratch;
    uint32_t *const signal = scratch + micro->fft.points + 1;
    const uint32_t shift = load_frame(micro, samples, spectrum);
    shift_left(spectrum, micro->fft.points, shift);
    ear_fft_int16(&micro->fft, spectrum);
    sum_bands(micro, spectrum, shift, signal);
    for (uint32_t i = 0; i < micro->channels; ++i) {
        uint32_t value = reduce_noise(micro, i, signal[i], &state[i]);
        if (micro->gain_control) {
            value = ear_gain_controlled(micro->gains, micro->snr_shift, value, state[i]);
        }
        features[i] = logarithm(micro, value << micro->correction_bits);
    }
}
