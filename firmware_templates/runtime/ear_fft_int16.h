/* Fixed-point FFT of real signals on 16 bits, in place, power-of-two lengths from 16 up.
 *
 * A transform of 2n real samples runs as n complex points: sample 2i is the real part of point i,
 * sample 2i + 1 its imaginary part. The caller stores point i at index order[i]; the transform
 * then leaves the spectrum, bins 0 to n, in its natural order. All tables come from
 * edgeasr/features/fft.py.
 */
#ifndef EAR_FFT_INT16_H
#define EAR_FFT_INT16_H

#include "ear.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Two signed 16-bit halves in one word: the real part is the low half, the imaginary the high. */
static inline uint32_t ear_pack16(int32_t re, int32_t im)
{
    return ((uint32_t)re & 0xFFFFu) | ((uint32_t)im << 16);
}

static inline int32_t ear_low16(uint32_t word)
{
    return (int16_t)(word & 0xFFFFu);
}

static inline int32_t ear_high16(uint32_t word)
{
    return (int16_t)(word >> 16);
}

/* The squared magnitude. */
static inline uint32_t ear_energy16(uint32_t z)
{
    const int32_t re = ear_low16(z);
    const int32_t im = ear_high16(z);
    return (uint32_t)(re * re) + (uint32_t)(im * im);
}

typedef struct {
    uint32_t points;          /* n, half the length of the real signal; a power of two, 8 or more */
    const uint16_t *order;    /* [n] index at which point i is stored before the transform */
    const uint32_t *twiddles; /* [3n/4] exp(-2 pi j k / n), Q15 halves */
    const uint32_t *split;    /* [n/2] exp(-pi j ((k + 1) / n + 1/2)), Q15 halves */
} ear_fft_int16_t;

/* 16-bit transform, divided by 2n over its stages; bit-exact with kiss_fftr of KISS FFT 1.3.0 in
 * its 16-bit fixed-point build. data: [n + 1] packed words. A sum that leaves 16 bits wraps, as
 * there. */
void ear_fft_int16(const ear_fft_int16_t *fft, uint32_t *data);

#ifdef __cplusplus
}
#endif

#endif
