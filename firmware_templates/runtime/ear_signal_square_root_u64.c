#include "ear_kernels_signal.h"
#include "ear_micro.h"

void ear_signal_square_root_u64(const ear_signal_square_root_t *params, const uint64_t *input,
                                const int32_t *shift, uint32_t *output)
{
    for (int32_t i = 0; i < params->channels; ++i) {
        output[i] = ear_rounded_root(input[i]) >> ((uint32_t)*shift & 31u);
    }
}
