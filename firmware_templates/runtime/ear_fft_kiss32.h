/* 32-bit FFT of real signals as KISS FFT computes it, of power-of-two lengths from 16 up: for
 * models that were made with it. The front ends have a better one in ear_fft_int32.h.
 *
 * Points, order and spectrum are those of ear_fft_int16.h, in complex numbers of 32-bit parts.
 */
#ifndef EAR_FFT_KISS32_H
#define EAR_FFT_KISS32_H

#include "ear.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int32_t re;
    int32_t im;
} ear_complex32_t;

typedef struct {
    uint32_t points;         /* n, half the length of the real signal; a power of two, 8 or more */
    const uint16_t *order;   /* [n] index at which point i is stored before the transform */
    const int32_t *twiddles; /* [3n/4, 2] exp(-2 pi j k / n), Q31 parts in turn */
    const int32_t *split;    /* [n/2, 2] exp(-pi j ((k + 1) / n + 1/2)), Q31 parts in turn */
} ear_fft_kiss32_t;

/* Divided by 2n over its stages; bit-exact with kiss_fftr of KISS FFT 1.3.0 in its 32-bit
 * fixed-point build. data: [n + 1]. A sum that leaves 32 bits wraps, as there. */
void ear_fft_kiss32(const ear_fft_kiss32_t *fft, ear_complex32_t *data);

/* Bins 0 to n of a spectrum to 2n samples, in pairs; bit-exact with kiss_fftri. spectrum: [n + 1]
 * and data: [n], apart. */
void ear_fft_kiss32_inverse(const ear_fft_kiss32_t *fft, const ear_complex32_t *spectrum,
                            ear_complex32_t *data);

#ifdef __cplusplus
}
#endif

#endif
