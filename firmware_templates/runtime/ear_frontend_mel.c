#include "ear_frontend_mel.h"

#define FLOOR_DB_Q16 (-100 * 65536)
#define DB_PER_OCTAVE_Q29 1616142483 /* 10 log10(2) */
#define WEIGHT_BITS 24
#define POWER_BITS 28 /* with the weights' 24 and up to 2^11 bins a sum stays within 64 */

/* Bits needed to write x: 0 for 0. */
static uint32_t bit_length(uint32_t x)
{
    return x == 0 ? 0 : 32u - (uint32_t)__builtin_clz(x);
}

static uint32_t bit_length64(uint64_t x)
{
    const uint32_t high = (uint32_t)(x >> 32);
    return high != 0 ? 32 + bit_length(high) : bit_length((uint32_t)x);
}

/* x or -x - 1: as many bits as the size of x needs, but for -2^k, which is counted as 2^k - 1. */
static inline uint32_t folded(int32_t x)
{
    return (uint32_t)(x ^ (x >> 31));
}

static inline int32_t windowed(const ear_frontend_mel_t *mel, const int16_t *samples, uint32_t i)
{
    const uint32_t length = mel->window_samples;
    if (i >= length) {
        return 0;
    }
    const int32_t weight = mel->window[2 * i <= length ? i : length - i];
    return (int32_t)(((int64_t)samples[i] * weight + (1 << 15)) >> 16);
}

/* Window the frame into the FFT's order, then shift it left to fill 30 bits. A value v stands for
 * v / 2^(30 + shift), full scale being 1. Returns the shift. */
static uint32_t load_frame(const ear_frontend_mel_t *mel, const int16_t *samples, int32_t *data)
{
    uint32_t seen = 0;
    for (uint32_t i = 0; i < mel->fft.points; ++i) {
        int32_t *const z = data + 2 * mel->fft.order[i];
        z[0] = windowed(mel, samples, 2 * i);
        z[1] = windowed(mel, samples, 2 * i + 1);
        seen |= folded(z[0]) | folded(z[1]);
    }
    const uint32_t used = bit_length(seen);
    const uint32_t shift = used < 30 ? 30 - used : 0;
    for (uint32_t i = 0; i < 2 * mel->fft.points; ++i) {
        data[i] = (int32_t)((uint32_t)data[i] << shift);
    }
    return shift;
}

static uint64_t power_of(const int32_t *bin)
{
    return (uint64_t)((int64_t)bin[0] * bin[0]) + (uint64_t)((int64_t)bin[1] * bin[1]);
}

/* A sum of weighted powers, in units of 2^exponent. */
typedef struct {
    uint64_t sum;
    uint32_t exponent;
} energy_t;

/* The energies of one segment between mel points: it belongs to the channel that rises over it and
 * to the one that falls, with weights that add up to 1. */
static void sum_segment(const int32_t *bins, const uint32_t *weights, uint32_t width,
                        energy_t *rising, energy_t *falling)
{
    uint32_t seen = 0;
    for (uint32_t i = 0; i < 2 * width; ++i) {
        seen |= folded(bins[i]);
    }
    const uint32_t used = 2 * bit_length(seen) + 1;
    const uint32_t exponent = used > POWER_BITS ? used - POWER_BITS : 0;
    uint64_t total = 0;
    uint64_t rise = 0;
    for (uint32_t i = 0; i < width; ++i) {
        const uint32_t power = (uint32_t)(power_of(bins + 2 * i) >> exponent);
        total += power;
        rise += (uint64_t)power * weights[i];
    }
    *rising = (energy_t){rise, exponent};
    *falling = (energy_t){(total << WEIGHT_BITS) - rise, exponent};
}

static energy_t sum_of(energy_t a, energy_t b)
{
    if (a.exponent < b.exponent) {
        const energy_t swapped = a;
        a = b;
        b = swapped;
    }
    const uint32_t shift = a.exponent - b.exponent;
    return (energy_t){a.sum + (shift < 64 ? b.sum >> shift : 0), a.exponent};
}

/* log2(x) in Q16; x is above 0. */
static int32_t log2_of(const uint16_t *bend, uint64_t x)
{
    const uint32_t length = bit_length64(x);
    const uint64_t aligned = x << (64 - length);
    const uint32_t fraction = (uint32_t)(aligned >> 47) & 0xFFFFu;
    const uint32_t segment = fraction >> 9;
    const int32_t slope = bend[segment + 1] - bend[segment];
    const int32_t along = (slope * (int32_t)(fraction & 0x1FFu) + (1 << 8)) >> 9;
    return (int32_t)(((length - 1) << 16) + fraction + bend[segment]) + along;
}

/* Decibels of a channel in Q16, at least -100. scale: what the energy is to be multiplied with, as
 * a power of two. */
static int32_t decibels(const ear_frontend_mel_t *mel, uint32_t channel, energy_t energy,
                        int32_t scale)
{
    if (energy.sum == 0) {
        return FLOOR_DB_Q16;
    }
    const int32_t octaves =
        log2_of(mel->log2_bend, energy.sum) + ((int32_t)energy.exponent + scale) * 65536;
    const int64_t level = ((int64_t)octaves * DB_PER_OCTAVE_Q29 + (1 << 28)) >> 29;
    const int32_t result = (int32_t)level + mel->offsets[channel];
    return result > FLOOR_DB_Q16 ? result : FLOOR_DB_Q16;
}

/* One frame to [channels] decibels in Q16. */
static void analyse(const ear_frontend_mel_t *mel, const int16_t *samples, int32_t *data,
                    int32_t *levels)
{
    const uint32_t shift = load_frame(mel, samples, data);
    ear_fft_int32(&mel->fft, data);
    /* the FFT divided by its length; a power is a square */
    const int32_t scale = 2 * ((int32_t)bit_length(mel->fft.points) - 30 - (int32_t)shift) -
                          WEIGHT_BITS;
    const int32_t *bins = data + 2 * mel->first_bin;
    const uint32_t *weights = mel->weights;
    energy_t rising = {0, 0};
    for (uint32_t segment = 0; segment <= mel->channels; ++segment) {
        const energy_t before = rising;
        energy_t falling;
        sum_segment(bins, weights, mel->widths[segment], &rising, &falling);
        bins += 2 * mel->widths[segment];
        weights += mel->widths[segment];
        if (segment > 0) {
            levels[segment - 1] = decibels(mel, segment - 1, sum_of(before, falling), scale);
        }
    }
}

static int16_t saturated(int64_t value)
{
    return (int16_t)(value > INT16_MAX ? INT16_MAX : value < INT16_MIN ? INT16_MIN : value);
}

void ear_frontend_logmel(const void *tables, const int16_t *samples, uint32_t *state,
                         uint32_t *scratch, int16_t *features)
{
    const ear_frontend_mel_t *const mel = tables;
    int32_t *const data = (int32_t *)scratch;
    int32_t *const levels = data + 2 * (mel->fft.points + 1);
    (void)state;
    analyse(mel, samples, data, levels);
    for (uint32_t i = 0; i < mel->channels; ++i) {
        features[i] = saturated((levels[i] + (1 << 7)) >> 8);
    }
}

/* cos(pi j / (2 channels)) for j up to a whole wave, 4 * channels - 1. */
static int32_t cosine(const ear_frontend_mel_t *mel, uint32_t j)
{
    const uint32_t quarter = mel->channels;
    const uint32_t half = j <= 2 * quarter ? j : 4 * quarter - j;
    return half <= quarter ? mel->cosines[half] : -mel->cosines[2 * quarter - half];
}

static int64_t mean(const ear_frontend_mel_t *mel, const int32_t *levels)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < mel->channels; ++i) {
        sum += levels[i];
    }
    return sum * (int64_t)mel->mean_scale;
}

void ear_frontend_mfcc(const void *tables, const int16_t *samples, uint32_t *state,
                       uint32_t *scratch, int16_t *features)
{
    const ear_frontend_mel_t *const mel = tables;
    int32_t *const data = (int32_t *)scratch;
    int32_t *const levels = data + 2 * (mel->fft.points + 1);
    (void)state;
    analyse(mel, samples, data, levels);
    for (uint32_t k = 0; k < mel->coefficients; ++k) {
        int64_t sum = k == 0 ? mean(mel, levels) : 0; /* Q46 */
        for (uint32_t i = 0, j = k; k > 0 && i < mel->channels; ++i) {
            sum += (int64_t)levels[i] * cosine(mel, j);
            j += 2 * k;
            j -= j >= 4 * mel->channels ? 4 * mel->channels : 0;
        }
        features[k] = saturated((sum + ((int64_t)1 << 40)) >> 41);
    }
}
