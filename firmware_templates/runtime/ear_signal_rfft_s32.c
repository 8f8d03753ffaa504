#include "ear_kernels_signal.h"

void ear_signal_rfft_s32(const ear_signal_fft_t *params, const ear_fft_kiss32_t *fft,
                         const int32_t *input, int32_t *output)
{
    const int32_t points = (int32_t)fft->points;
    ear_complex32_t *spectrum = (void *)output;
    for (int32_t row = 0; row < params->rows; ++row) {
        for (int32_t i = 0; i < points; ++i) {
            const int32_t even = 2 * i < params->length ? input[2 * i] : 0;
            const int32_t odd = 2 * i + 1 < params->length ? input[2 * i + 1] : 0;
            spectrum[fft->order[i]] = (ear_complex32_t){even, odd};
        }
        ear_fft_kiss32(fft, spectrum);
        input += params->length;
        spectrum += points + 1;
    }
}
