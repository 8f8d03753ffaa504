#include "ear_kernels_signal.h"
#include "ear_requantize.h"

void ear_signal_window_s16(const ear_signal_window_t *params, const int16_t *input,
                           const int16_t *weights, int16_t *output)
{
    for (int32_t row = 0; row < params->rows; ++row) {
        for (int32_t i = 0; i < params->length; ++i) {
            const int32_t product = ((int32_t)*input++ * weights[i]) >> params->shift;
            *output++ = (int16_t)ear_clamp(product, INT16_MIN, INT16_MAX);
        }
    }
}
