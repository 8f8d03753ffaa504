/* Rounding of float32 without libm. */
#ifndef EAR_ROUND_H
#define EAR_ROUND_H

#include "ear_requantize.h"

/* value / scale rounded half away from zero, plus the zero point, inside [low, high]; saturates,
 * and gives the zero point for not-a-number. low and high have at most 17 bits. */
static inline int32_t ear_quantize_f32(float value, float scale, int32_t zero_point, int32_t low,
                                       int32_t high)
{
    const float limit = 131072.0f;
    float x = value / scale;
    if (!(x >= -limit)) {
        x = x < -limit ? -limit : 0.0f;
    } else if (x > limit) {
        x = limit;
    }
    const int32_t whole = (int32_t)x;
    const float rest = x - (float)whole; /* exact */
    const int32_t step = rest >= 0.5f ? 1 : rest <= -0.5f ? -1 : 0;
    return ear_clamp(whole + step + zero_point, low, high);
}

#endif
