/* Steps of TFLite-Micro's fixed-point audio front end, which its signal operators compute too, bit
 * for bit: square root, noise estimate, gain control, logarithm.
 *
 * Source: tensorflow/lite/experimental/microfrontend and signal/src in tensorflow/tflite-micro.
 */
#ifndef EAR_MICRO_H
#define EAR_MICRO_H

#include "ear.h"

#define EAR_MICRO_SNR_BITS 12
#define EAR_MICRO_GAIN_OUTPUT_BITS 6

/* Bits needed to write x: 0 for 0, 32 for 2^31 and more. */
static inline uint32_t ear_bit_length(uint32_t x)
{
    return x == 0 ? 0 : 32u - (uint32_t)__builtin_clz(x);
}

/* floor(sqrt(x)) for x from 2^14 to 2^16 - 1 */
static inline uint32_t ear_root16(uint32_t x)
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
static inline uint32_t ear_root64(uint64_t x)
{
    const uint32_t high = (uint32_t)(x >> 32);
    uint32_t root = ear_root16(high >> 16);
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
static inline uint32_t ear_rounded_root(uint64_t x)
{
    const uint32_t high = (uint32_t)(x >> 32);
    if (x == 0) {
        return 0;
    }
    const uint32_t zeros = high != 0 ? 32 - ear_bit_length(high) : 64 - ear_bit_length((uint32_t)x);
    const uint32_t root = ear_root64(x << (zeros & ~1u)) >> (zeros / 2);
    const uint64_t remainder = x - (uint64_t)root * root;
    return root + (remainder > root && root != (high != 0 ? UINT32_MAX : UINT16_MAX));
}

/* How the noise of a channel is followed and taken off its signal; shares have `share_bits`
 * fraction bits, the noise has `smoothing_bits` more than the signal. Both at most 31. */
typedef struct {
    uint32_t smoothing;      /* share of the signal in a new estimate */
    uint32_t keeping;        /* share of the old estimate in a new one */
    uint32_t min_remaining;  /* share of the signal that is left at least */
    uint32_t smoothing_bits;
    uint32_t share_bits;
} ear_noise_t;

/* The new estimate of the noise, from the signal shifted left by smoothing_bits. */
static inline uint32_t ear_noise_estimate(const ear_noise_t *noise, uint32_t scaled, uint32_t old)
{
    return (uint32_t)(((uint64_t)scaled * noise->smoothing + (uint64_t)old * noise->keeping) >>
                      noise->share_bits);
}

/* The signal less the noise estimated, which may be the larger one. */
static inline uint32_t ear_noise_reduced(const ear_noise_t *noise, uint32_t signal,
                                         uint32_t scaled, uint32_t estimate)
{
    if (estimate > scaled) {
        estimate = scaled;
    }
    const uint32_t least =
        (uint32_t)(((uint64_t)signal * noise->min_remaining) >> noise->share_bits);
    const uint32_t left = (scaled - estimate) >> noise->smoothing_bits;
    return left > least ? left : least;
}

/* Gain at a noise estimate: between powers of two a parabola through three points. gains: [125]. */
static inline int32_t ear_gain_at(const int16_t *gains, uint32_t noise)
{
    if (noise <= 2) {
        return gains[noise];
    }
    const uint32_t interval = ear_bit_length(noise);
    const int16_t *const y = gains + 4 * interval - 6;
    const uint32_t shifted = interval < 11 ? noise << (11 - interval) : noise >> (interval - 11);
    const int32_t fraction = (int32_t)(shifted & 0x3FFu);
    int32_t rise = (y[2] * fraction) >> 5;
    rise += y[1] * 32;
    rise *= fraction;
    return (int16_t)(((rise + (1 << 14)) >> 15) + y[0]);
}

/* The signal times the gain at its noise, compressed. snr_shift: 0 to 63. */
static inline uint32_t ear_gain_controlled(const int16_t *gains, uint32_t snr_shift,
                                           uint32_t signal, uint32_t noise)
{
    const uint32_t gain = (uint32_t)ear_gain_at(gains, noise);
    const uint32_t snr = (uint32_t)(((uint64_t)signal * gain) >> snr_shift);
    if (snr < 2u << EAR_MICRO_SNR_BITS) {
        return (snr * snr) >> (2 + 2 * EAR_MICRO_SNR_BITS - EAR_MICRO_GAIN_OUTPUT_BITS);
    }
    return (snr >> (EAR_MICRO_SNR_BITS - EAR_MICRO_GAIN_OUTPUT_BITS)) -
           (1u << EAR_MICRO_GAIN_OUTPUT_BITS);
}

/* ln(x) in Q16, for x of 2 and more. bend: [130] log2(1 + i / 128) - i / 128, Q16. */
static inline uint32_t ear_ln(const uint16_t *log2_bend, uint32_t x)
{
    const uint32_t whole = ear_bit_length(x) - 1;
    const uint32_t rest = x - (1u << whole);
    const uint32_t fraction = whole < 16 ? rest << (16 - whole) : rest >> (whole - 16);
    const uint32_t segment = fraction >> 9;
    const int32_t bend = log2_bend[segment];
    const int32_t slope = log2_bend[segment + 1] - bend;
    /* the slope is per segment of 2^9, and yet upstream divides by 2^16 */
    const int32_t along = (slope * (int32_t)(fraction - (segment << 9))) >> 16;
    const uint32_t log2 = (whole << 16) + fraction + (uint32_t)(bend + along);
    return (uint32_t)(((uint64_t)45426 * log2 + 32768) >> 16); /* Q16 of ln 2 */
}

#endif
