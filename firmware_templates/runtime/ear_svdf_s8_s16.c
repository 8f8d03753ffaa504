#include "ear_kernels_recurrent.h"

#include "ear_dsp.h"
#include "ear_svdf.h"

void ear_svdf_s8_s16(const ear_svdf_t *params, const int8_t *input, const ear_weights_t *feature,
                     int8_t *scratch, const int16_t *time, const int32_t *bias, int16_t *state,
                     int8_t *output)
{
    ear_svdf_remember(params, input, feature, scratch, state, true);
    const int32_t units = params->filters / params->rank;
    const int32_t taps = params->rank * params->memory;
    for (int32_t i = 0; i < params->batches * units; ++i, state += taps) {
        const int16_t *const weights = time + i % units * taps;
        uint32_t sum = (uint32_t)bias[i % units];
        int32_t tap = 0;
#if EAR_DSP
        for (; tap + 2 <= taps; tap += 2) {
            sum = (uint32_t)__smlad(ear_dsp_pair(weights + tap), ear_dsp_pair(state + tap),
                                    (int32_t)sum);
        }
#endif
        for (; tap < taps; ++tap) {
            sum += (uint32_t)(weights[tap] * state[tap]);
        }
        output[i] = ear_svdf_output(params, sum);
    }
}
