#include "ear_kernels_signal.h"

void ear_signal_irfft_s32(const ear_signal_fft_t *params, const ear_fft_kiss32_t *fft,
                          const int32_t *input, int32_t *output)
{
    const ear_complex32_t *spectrum = (const void *)input;
    ear_complex32_t *samples = (void *)output;
    for (int32_t row = 0; row < params->rows; ++row) {
        ear_fft_kiss32_inverse(fft, spectrum, samples);
        spectrum += fft->points + 1;
        samples += fft->points;
    }
}
