/* Stages of a complex FFT in place, as KISS FFT has them.
 *
 * They compute with what ear_fft_int16_arithmetic.h defines, or, where EAR_FFT_ARITHMETIC is defined
 * already, with what the file that includes this has: complex_t and, on it, halved, quartered,
 * rotated, sum, difference, turned_sum (a + j b) and turned_difference (a - j b). */
#ifndef EAR_FFT_STAGES_H
#define EAR_FFT_STAGES_H

#ifndef EAR_FFT_ARITHMETIC
#include "ear_fft_int16_arithmetic.h"
#endif

static inline void butterfly4(complex_t *data, uint32_t distance, complex_t a, complex_t b,
                              complex_t c, complex_t d)
{
    const complex_t even = sum(a, c);
    const complex_t odd = sum(b, d);
    const complex_t even_gap = difference(a, c);
    const complex_t odd_gap = difference(b, d);
    data[0] = sum(even, odd);
    data[distance] = turned_difference(even_gap, odd_gap);
    data[2 * distance] = difference(even, odd);
    data[3 * distance] = turned_sum(even_gap, odd_gap);
}

/* The first stage has no rotation: after the division a product with the largest fraction, which
 * stands for 1, changes nothing. */
static inline uint32_t first_stage(complex_t *data, uint32_t points)
{
    if (points & 0xAAAAAAAAu) {
        for (uint32_t i = 0; i < points; i += 2) {
            const complex_t a = halved(data[i]);
            const complex_t b = halved(data[i + 1]);
            data[i] = sum(a, b);
            data[i + 1] = difference(a, b);
        }
        return 2;
    }
    for (uint32_t i = 0; i < points; i += 4) {
        butterfly4(&data[i], 1, quartered(data[i]), quartered(data[i + 1]),
                   quartered(data[i + 2]), quartered(data[i + 3]));
    }
    return 4;
}

static inline void radix4_stage(complex_t *data, uint32_t points, uint32_t distance,
                                const complex_t *twiddles)
{
    const uint32_t stride = points / (4 * distance);
    for (uint32_t k = 0; k < distance; ++k) {
        const complex_t w1 = twiddles[k * stride];
        const complex_t w2 = twiddles[2 * k * stride];
        const complex_t w3 = twiddles[3 * k * stride];
        for (complex_t *x = data + k; x < data + points; x += 4 * distance) {
            butterfly4(x, distance, quartered(x[0]), rotated(quartered(x[distance]), w1),
                       rotated(quartered(x[2 * distance]), w2),
                       rotated(quartered(x[3 * distance]), w3));
        }
    }
}

#endif
