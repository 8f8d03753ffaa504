#include "ear_kernels_recurrent.h"

#include "ear_dsp.h"
#include "ear_neon_core.h"
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
#elif EAR_NEON
        int32x4_t lanes = vdupq_n_s32(0);
        for (; tap + 8 <= taps; tap += 8) {
            const int16x8_t values = vld1q_s16(state + tap);
            const int16x8_t times = vld1q_s16(weights + tap);
            lanes = vmlal_s16(lanes, vget_low_s16(values), vget_low_s16(times));
            lanes = vmlal_high_s16(lanes, values, times);
        }
        sum += (uint32_t)vaddvq_s32(lanes);
#endif
        for (; tap < taps; ++tap) {
            sum += (uint32_t)(weights[tap] * state[tap]);
        }
        output[i] = ear_svdf_output(params, sum);
    }
}
