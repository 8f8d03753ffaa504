#include "ear_kernels_signal.h"
#include "ear_micro.h"

void ear_signal_auto_scale_s16(const ear_signal_auto_scale_t *params, const int16_t *input,
                               int16_t *output, int32_t *shift)
{
    int16_t largest = 0;
    for (int32_t i = 0; i < params->count; ++i) {
        if (input[i] > largest) {
            largest = input[i];
        } else if (-input[i] > largest) {
            largest = (int16_t)(-input[i]); /* -32768 stays what it is: anything is above it */
        }
    }
    const int32_t bits = largest <= 0 ? 0 : 15 - (int32_t)ear_bit_length((uint32_t)largest);
    for (int32_t i = 0; i < params->count; ++i) {
        output[i] = (int16_t)((uint32_t)input[i] << bits);
    }
    *shift = bits;
}
