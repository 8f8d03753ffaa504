#include "ear_frontend_micro.h"

#define WINDOW_BITS 12
#define SMOOTHING_BITS 14
#define SNR_BITS 12
#define GAIN_OUTPUT_BITS 6

/* Bits needed to write x: 0 for 0, 32 for 2^31 and more. */
static uint32_t bit_length(uint32_t x)
{
    return x == 0 ? 0 : 32u - (uint32_t)__builtin_clz(x);
}

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
    return 15u - bit_length((uint32_t)largest);
}

static void shift_left(uint32_t *spectrum, uint32_t points, uint32_t shift)
{
    for (uint32_t i = 0; i < points; ++i) {
        const uint32_t word = spectrum[i];
        spectrum[i] = ((word & 0xFFFF0000u) << shift) | ((word << shift) & 0xFFFFu);
    }
}

/* floor(sqrt(x)) for x from 2^14 to 2^16 - 1 */
static uint32_t root16(uint32_t x)
{
    uint32_t root = 0;
    for (uint32_t bit = 1u << 14; bit != 0; bit >>= 2) {
        if (x >= root + bit) {
            x -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return root;
}

/* floor(sqrt(x)) for x of 2^62 or more: the upper half's root, and a division for the lower half
 * of the bits. P. Zimmermann, "Karatsuba Square Root", INRIA RR-3805, 1999. */
static uint32_t root64(uint64_t x)
{
    const uint32_t high = (uint32_t)(x >> 32);
    uint32_t root = root16(high >> 16);
    uint32_t rest = (high >> 16) - root * root;
    /* 2 * root * quotient + rest = old rest and the next digits; halves keep it in 32 bits */
    uint32_t quotient = ((rest << 8) | ((high >> 8) & 0xFFu)) / (2 * root);
    root = (root << 8) + quotient;
    if (root > UINT16_MAX || root * root > high) {
        --root;
    }
    rest = high - root * root;
    const uint32_t low = (uint32_t)x;
    quotient = ((rest << 15) | (low >> 17)) / root;
    const uint64_t guess = ((uint64_t)root << 16) + quotient;
    return (uint32_t)(guess > UINT32_MAX || guess * guess > x ? guess - 1 : guess);
}

/* Square root, rounded to nearest; 65535 is the most for x below 2^32, as upstream. */
static uint32_t rounded_root(uint64_t x)
{
    const uint32_t high = (uint32_t)(x >> 32);
    if (x == 0) {
        return 0;
    }
    const uint32_t zeros = high != 0 ? 32 - bit_length(high) : 64 - bit_length((uint32_t)x);
    const uint32_t root = root64(x << (zeros & ~1u)) >> (zeros / 2);
    const uint64_t remainder = x - (uint64_t)root * root;
    return root + (remainder > root && root != (high != 0 ? UINT32_MAX : UINT16_MAX));
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
            const int32_t re = ear_low16(*bin);
            const int32_t im = ear_high16(*bin++);
            const int32_t energy = (int32_t)((uint32_t)(re * re) + (uint32_t)(im * im));
            here += (int64_t)energy * ear_low16(*weight);
            carried += (int64_t)energy * ear_high16(*weight++);
        }
        if (band > 0) {
            signal[band - 1] = rounded_root((uint64_t)here) >> shift;
        }
    }
}

static uint32_t reduce_noise(const ear_frontend_micro_t *micro, uint32_t channel, uint32_t signal,
                             uint32_t *noise)
{
    const uint32_t smoothing = channel & 1 ? micro->odd_smoothing : micro->even_smoothing;
    const uint32_t keeping = (1u << SMOOTHING_BITS) - smoothing;
    const uint32_t scaled = signal << micro->smoothing_bits;
    uint32_t estimate =
        (uint32_t)(((uint64_t)scaled * smoothing + (uint64_t)*noise * keeping) >> SMOOTHING_BITS);
    *noise = estimate;
    if (!micro->noise_reduction) {
        return signal;
    }
    if (estimate > scaled) {
        estimate = scaled;
    }
    const uint32_t least = (uint32_t)(((uint64_t)signal * micro->min_remaining) >> SMOOTHING_BITS);
    const uint32_t left = (scaled - estimate) >> micro->smoothing_bits;
    return left > least ? left : least;
}

/* Gain at a noise estimate: between powers of two a parabola through three points. */
static int32_t gain_at(const int16_t *gains, uint32_t noise)
{
    if (noise <= 2) {
        return gains[noise];
    }
    const uint32_t interval = bit_length(noise);
    const int16_t *const y = gains + 4 * interval - 6;
    const uint32_t shifted = interval < 11 ? noise << (11 - interval) : noise >> (interval - 11);
    const int32_t fraction = (int32_t)(shifted & 0x3FFu);
    int32_t rise = (y[2] * fraction) >> 5;
    rise += y[1] * 32;
    rise *= fraction;
    return (int16_t)(((rise + (1 << 14)) >> 15) + y[0]);
}

static uint32_t control_gain(const ear_frontend_micro_t *micro, uint32_t signal, uint32_t noise)
{
    const uint32_t gain = (uint32_t)gain_at(micro->gains, noise);
    const uint32_t snr = (uint32_t)(((uint64_t)signal * gain) >> micro->snr_shift);
    if (snr < 2u << SNR_BITS) {
        return (snr * snr) >> (2 + 2 * SNR_BITS - GAIN_OUTPUT_BITS);
    }
    return (snr >> (SNR_BITS - GAIN_OUTPUT_BITS)) - (1u << GAIN_OUTPUT_BITS);
}

/* ln(x) * 2^log_shift; 0 for x of 0 and 1. */
static int16_t logarithm(const ear_frontend_micro_t *micro, uint32_t x)
{
    if (x <= 1) {
        return 0;
    }
    const uint32_t whole = bit_length(x) - 1;
    const uint32_t rest = x - (1u << whole);
    const uint32_t fraction = whole < 16 ? rest << (16 - whole) : rest >> (whole - 16);
    const uint32_t segment = fraction >> 9;
    const int32_t bend = micro->log2_bend[segment];
    const int32_t slope = micro->log2_bend[segment + 1] - bend;
    /* the slope is per segment of 2^9, and yet upstream divides by 2^16 */
    const int32_t along = (slope * (int32_t)(fraction - (segment << 9))) >> 16;
    const uint32_t log2 = (whole << 16) + fraction + (uint32_t)(bend + along);
    const uint32_t ln = (uint32_t)(((uint64_t)45426 * log2 + 32768) >> 16); /* Q16 of ln 2 */
    return (int16_t)(((ln << micro->log_shift) + 32768) >> 16);
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
            value = control_gain(micro, value, state[i]);
        }
        features[i] = logarithm(micro, value << micro->correction_bits);
    }
}
