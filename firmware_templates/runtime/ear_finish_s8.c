#include "ear_finish_s8.h"

#include "ear_dsp.h"
#include "ear_requantize.h"

void ear_finish_s8(const ear_finish_t *finish, int32_t channel, int32_t count,
                   const int32_t *sums, int8_t *output)
{
    /* Fields in variables: as far as C knows, a store to output could change them. */
    const int32_t *const multipliers = finish->scales.multipliers;
    const int8_t *const shifts = finish->scales.shifts;
    const int32_t step = finish->scales.step;
    const int32_t zero_point = finish->zero_point;
    const int32_t low = finish->low;
    const int32_t high = finish->high;
    int32_t at = channel * step;
    const int32_t *const end = sums + count;
    do {
#if EAR_DSP
        const int32_t shift = shifts[at];
        if (ear_dsp_can_scale(shift)) {
            const int32_t value = ear_dsp_scale(*sums++, multipliers[at], -shift,
                                                ear_dsp_end(zero_point, shift));
            *output++ = (int8_t)ear_clamp(value, low, high);
            at += step;
            continue;
        }
#endif
        *output++ = (int8_t)ear_scale_to(*sums++, multipliers[at], shifts[at], zero_point, low,
                                         high);
        at += step;
    } while (sums != end);
}
