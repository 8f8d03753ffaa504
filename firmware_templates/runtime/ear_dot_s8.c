#include "ear_dot_s8.h"

#include "ear_dsp.h"
#include "ear_neon_core.h"

#if EAR_DSP && defined(__OPTIMIZE__) /* all registers are taken: there is none for debugging */
#define ASSEMBLY 1

#define ROW(filter, sum)                                                                          \
    "ldr %[taps], [" filter "], #4\n\t"                                                           \
    "sxtb16 %[pair], %[taps]\n\t"                                                                 \
    "sxtb16 %[taps], %[taps], ror #8\n\t"                                                         \
    "smlad " sum ", %[even], %[pair], " sum "\n\t"                                                \
    "smlad " sum ", %[odd], %[taps], " sum "\n\t"
/* The products of four inputs in four rows. On the stack, for want of registers: where the input
 * ends, and the offset of inputs. */
#define QUAD                                                                                      \
    "ldr %[taps], [%[input]], #4\n\t"                                                             \
    "ldr %[even], [sp, #4]\n\t"                                                                   \
    "sxtab16 %[odd], %[even], %[taps], ror #8\n\t"                                                \
    "sxtab16 %[even], %[even], %[taps]\n\t" ROW("%[filter]", "%[sum0]")                           \
        ROW("%[filter1]", "%[sum1]") ROW("%[filter2]", "%[sum2]") ROW("%[filter3]", "%[sum3]")
#define QUADS                                                                                     \
    "1:\n\t" QUAD QUAD "ldr %[taps], [sp]\n\t"                                                    \
    "cmp %[input], %[taps]\n\t"                                                                   \
    "bne 1b\n\t"
#define PRODUCTS(code)                                                                            \
    __asm__ volatile("push {%[pair]}\n\t"                                                         \
                     "push {%[taps]}\n\t" code "ldr %[pair], [sp, #4]\n\t"                        \
                     "add sp, #8\n\t"                                                             \
                     : [input] "+r"(input), [filter] "+r"(filter), [filter1] "+r"(filter1),       \
                       [filter2] "+r"(filter2), [filter3] "+r"(filter3), [sum0] "+r"(sum0),       \
                       [sum1] "+r"(sum1), [sum2] "+r"(sum2), [sum3] "+r"(sum3),                   \
                       [taps] "+r"(taps), [pair] "+r"(pair), [even] "=&r"(even),                  \
                       [odd] "=&r"(odd)                                                           \
                     :                                                                            \
                     : "cc", "memory")
#else
#define ASSEMBLY 0
#endif

#if EAR_NEON
/* The sums of the products of eight inputs with taps, four of them in a lane each. */
static inline int32x4_t products(int16x8_t values, const int8_t *filter, int32x4_t sums)
{
    const int16x8_t taps = vmovl_s8(vld1_s8(filter));
    return vmlal_high_s16(vmlal_s16(sums, vget_low_s16(values), vget_low_s16(taps)), values, taps);
}
#endif

/* Not inline: its loop takes all registers of a Cortex-M, and inside other loops gets too few. */
void ear_dot4_s8(const int8_t *input, int32_t offset, const int8_t *filter, int32_t stride,
                 int32_t count, int32_t sums[4])
{
    const int8_t *filter1 = filter + stride;
    const int8_t *filter2 = filter1 + stride;
    const int8_t *filter3 = filter2 + stride;
    int32_t sum0 = sums[0];
    int32_t sum1 = sums[1];
    int32_t sum2 = sums[2];
    int32_t sum3 = sums[3];
    const int8_t *const end = input + count;
#if ASSEMBLY
    const int8_t *taps = input + (count & ~7);
    int16x2_t pair = ear_dsp_twice(offset);
    uint32_t even;
    uint32_t odd;
    if (taps != input) {
        PRODUCTS(QUADS);
    }
    if ((count & 4) != 0) {
        PRODUCTS(QUAD);
    }
#elif EAR_NEON
    const int16x8_t offsets = vdupq_n_s16((int16_t)offset);
    int32x4_t lanes0 = vsetq_lane_s32(sum0, vdupq_n_s32(0), 0);
    int32x4_t lanes1 = vsetq_lane_s32(sum1, vdupq_n_s32(0), 0);
    int32x4_t lanes2 = vsetq_lane_s32(sum2, vdupq_n_s32(0), 0);
    int32x4_t lanes3 = vsetq_lane_s32(sum3, vdupq_n_s32(0), 0);
    for (int32_t eights = count / 8; eights > 0; --eights) {
        const int16x8_t values = vaddw_s8(offsets, vld1_s8(input));
        lanes0 = products(values, filter, lanes0);
        lanes1 = products(values, filter1, lanes1);
        lanes2 = products(values, filter2, lanes2);
        lanes3 = products(values, filter3, lanes3);
        input += 8;
        filter += 8;
        filter1 += 8;
        filter2 += 8;
        filter3 += 8;
    }
    sum0 = vaddvq_s32(lanes0);
    sum1 = vaddvq_s32(lanes1);
    sum2 = vaddvq_s32(lanes2);
    sum3 = vaddvq_s32(lanes3);
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

int32_t ear_dot_s8(const int8_t *input, int32_t offset, const int8_t *filter, int32_t count)
{
    int32_t sum = 0;
    const int8_t *const end = input + count;
#if EAR_DSP
    const int16x2_t offsets = ear_dsp_twice(offset);
    for (int32_t quads = count / 4; quads > 0; --quads) {
        const uint32_t quad = ear_dsp_quad(input);
        const uint32_t taps = ear_dsp_quad(filter);
        sum = __smlad(ear_dsp_add_even(offsets, quad), ear_dsp_even(taps), sum);
        sum = __smlad(ear_dsp_add_odd(offsets, quad), ear_dsp_odd(taps), sum);
        input += 4;
        filter += 4;
    }
#endif
    while (input < end) {
        sum += (*input++ + offset) * *filter++;
    }
    return sum;
}
