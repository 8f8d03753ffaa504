#include "ear_kernels_signal.h"

void ear_signal_rfft_s16(const ear_signal_fft_t *params, const ear_fft_int16_t *fft,
                         const int16_t *input, uint32_t *output)
{
    const int32_t points = (int32_t)fft->points;
    for (int32_t row = 0; row < params->rows; ++row) {
        for (int32_t i = 0; i < points; ++i) {
            const int32_t even = 2 * i < params->length ? input[2 * i] : 0;
            const int32_t odd = 2 * i + 1 < params->length ? input[2 * i + 1] : 0;
            output[fft->order[i]] = ear_pack16(even, odd);
        }
        ear_fft_int16(fft, output);
        input += params->length;
        output += points + 1;
    }
}
