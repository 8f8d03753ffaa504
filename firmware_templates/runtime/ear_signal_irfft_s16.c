#include "ear_fft_int16_inverse.h"
#include "ear_kernels_signal.h"

void ear_signal_irfft_s16(const ear_signal_fft_t *params, const ear_fft_int16_t *fft,
                          const uint32_t *input, uint32_t *output)
{
    for (int32_t row = 0; row < params->rows; ++row) {
        ear_fft_int16_inverse(fft, input, output);
        input += fft->points + 1;
        output += fft->points;
    }
}
