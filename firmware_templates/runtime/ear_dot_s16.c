#include "ear_dot_s16.h"

/* Not inline: its loop takes all registers of a Cortex-M, and inside other loops gets too few. */
void ear_dot4_s16(const int16_t *input, const int8_t *filter, int32_t stride, int32_t count,
                  int32_t sums[4])
{
    const int8_t *filter1 = filter + stride;
    const int8_t *filter2 = filter1 + stride;
    const int8_t *filter3 = filter2 + stride;
    int32_t sum0 = sums[0];
    int32_t sum1 = sums[1];
    int32_t sum2 = sums[2];
    int32_t sum3 = sums[3];
    for (const int16_t *const end = input + count; input < end;) {
        const int32_t value = *input++;
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
