/* Fixed-point FFT of real signals on 32 bits, in place, power-of-two lengths from 16 up.
 *
 * A transform of 2n real samples runs as n complex points: sample 2i is the real part of point i,
 * sample 2i + 1 its imaginary part. The caller stores point i at index order[i]; the transform
 * then leaves the spectrum, bins 0 to n, in its natural order. All tables come from
 * edgeasr/features/fft.py.
 */
#ifndef EAR_FFT_INT32_H
#define EAR_FFT_INT32_H

#include "ear.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uint32_t points;       /* n, half the length of the real signal; a power of two, 8 or more */
    const uint16_t *order; /* [n] index at which point i is stored before the transform */
    const int32_t *sine;   /* [n/2 + 1] sin(pi k / n), Q31, a quarter of a wave */
} ear_fft_int32_t;

/* 32-bit transform, divided by 2n over its stages, each rounded half up. data: [2 * (n + 1)] real
 * and imaginary parts in turn, each at most 2^30 in size, before and (but for rounding) after; a
 * result is a few units off at most. */
void ear_fft_int32(const ear_fft_int32_t *fft, int32_t *data);

#ifdef __cplusplus
}
#endif

#endif
