#include "ear_dot_s8.h"

#include "ear_dsp.h"

#if EAR_DSP
static inline int32_t products(int16x2_t even, int16x2_t odd, const int8_t *filter, int32_t sum)
{
    const uint32_t taps = ear_dsp_quad(filter);
    return __smlad(odd, ear_dsp_odd(taps), __smlad(even, ear_dsp_even(taps), sum));
}
#endif

/* Not inline: its loop takes all registers of a Cortex-M, and inside other loops gets too few. */
void ear_dot4_s8(const int8_t *input, int32_t offset, const int8_t *filter, int32_t stride,
                 int32_t count, int32_t sums[4])
{
    const int8_t *filter1 = filter + stride;
    int32_t sum0 = sums[0];
    int32_t sum1 = sums[1];
    int32_t sum2 = sums[2];
    int32_t sum3 = sums[3];
    const int8_t *const end = input + count;
#if EAR_DSP
    const int16x2_t offsets = ear_dsp_twice(offset);
    for (int32_t quads = count / 4; quads > 0; --quads) {
        const uint32_t quad = ear_dsp_quad(input);
        const int16x2_t even = ear_dsp_add_even(offsets, quad);
        const int16x2_t odd = ear_dsp_add_odd(offsets, quad);
        sum0 = products(even, odd, filter, sum0);
        sum1 = products(even, odd, filter1, sum1);
        sum2 = products(even, odd, filter + 2 * stride, sum2);
        sum3 = products(even, odd, filter1 + 2 * stride, sum3);
        input += 4;
        filter += 4;
        filter1 += 4;
    }
    const int8_t *filter2 = filter + 2 * stride;
    const int8_t *filter3 = filter1 + 2 * stride;
#else
    const int8_t *filter2 = filter1 + stride;
    const int8_t *filter3 = filter2 + stride;
#endif
    while (input < end) {
        const int32_t value = *input++ + offset;
        sum0 = ear_wrapping_sum(sum0, value * *filter++);
        sum1 = ear_wrapping_sum(sum1, value * *filter1++);
        sum2 = ear_wrapping_sum(sum2, value * *filter2++);
        sum3 = ear_wrapping_sum(sum3, value * *filter3++);
    }
    sums[0] = sum0;
    sums[1] = sum1;
    sums[2] = sum2;
    sums[3] = sum3;
}
