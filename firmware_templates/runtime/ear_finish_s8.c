#include "ear_finish_s8.h"

#include "ear_dsp.h"
#include "ear_requantize.h"

#if EAR_DSP
/* Not inline: it is needed for few scales, and takes registers from those that are usual. */
__attribute__((noinline)) static int32_t any_scale(const ear_finish_t *finish, int32_t sum,
                                                   int32_t multiplier, int32_t shift)
{
    return ear_scale_to(sum, multiplier, shift, finish->zero_point, finish->low, finish->high);
}
#endif

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
        const int32_t shift = shifts[at];
#if EAR_DSP
        const int32_t value =
            ear_dsp_can_scale(shift)
                ? ear_dsp_scale(*sums, multipliers[at], -shift, ear_dsp_end(zero_point, shift))
                : any_scale(finish, *sums, multipliers[at], shift);
        *output++ = (int8_t)ear_clamp(value, low, high);
#else
        *output++ = (int8_t)ear_scale_to(*sums, multipliers[at], shift, zero_point, low, high);
#endif
        ++sums;
        at += step;
    } while (sums != end);
}
