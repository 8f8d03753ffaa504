/* The inverse of the transform in ear_fft_int16.h, and its tables. */
#ifndef EAR_FFT_INT16_INVERSE_H
#define EAR_FFT_INT16_INVERSE_H

#include "ear_fft_int16.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The way back: bins 0 to n of a spectrum to 2n samples, bit-exact with kiss_fftri. Divided by 2n
 * too, where a transform there and back without any division would multiply by 2n.
 * spectrum: [n + 1] and data: [n] packed words, apart; of data pair i is samples 2i and 2i + 1. */
void ear_fft_int16_inverse(const ear_fft_int16_t *fft, const uint32_t *spectrum, uint32_t *data);

#ifdef __cplusplus
}
#endif

#endif
