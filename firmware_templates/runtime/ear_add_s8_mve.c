#include "ear_kernels_mve.h"

#include "ear_mve.h"

#define EXTRA_BITS 20 /* as ear_add_s8 */

void ear_add_s8_mve(const ear_add_t *params, int32_t count, const int8_t *input1,
                    const int8_t *input2, int8_t *output)
{
#if EAR_MVE
    /* Shifts round half up: one less makes it half away from zero where number and shift are
     * negative. */
    __asm__ volatile("dlstp.32 lr, %[count]\n"
                     "1:\n\t"
                     "vldrb.s32 q0, [%[input1]], #4\n\t"
                     "vadd.i32 q0, q0, %[offset1]\n\t"
                     "vldrb.s32 q1, [%[input2]], #4\n\t"
                     "vshl.i32 q0, q0, #20\n\t"
                     "vadd.i32 q1, q1, %[offset2]\n\t"
                     "vqrdmulh.s32 q0, q0, %[multiplier1]\n\t"
                     "vshl.i32 q1, q1, #20\n\t"
                     "vqrdmulh.s32 q1, q1, %[multiplier2]\n\t"
                     "vand q2, q0, %q[shift1]\n\t"
                     "vshr.s32 q2, q2, #31\n\t"
                     "vadd.i32 q0, q0, q2\n\t"
                     "vand q2, q1, %q[shift2]\n\t"
                     "vshr.s32 q2, q2, #31\n\t"
                     "vrshl.s32 q0, q0, %q[shift1]\n\t"
                     "vadd.i32 q1, q1, q2\n\t"
                     "vrshl.s32 q1, q1, %q[shift2]\n\t"
                     "vmla.s32 q0, q1, %[sign]\n\t"
                     "vqrdmulh.s32 q0, q0, %[multiplier]\n\t"
                     "vand q2, q0, %q[shift]\n\t"
                     "vshr.s32 q2, q2, #31\n\t"
                     "vadd.i32 q0, q0, q2\n\t"
                     "vrshl.s32 q0, q0, %q[shift]\n\t"
                     "vadd.i32 q0, q0, %[offset]\n\t"
                     "vmax.s32 q0, q0, %q[low]\n\t"
                     "vmin.s32 q0, q0, %q[high]\n\t"
                     "vstrb.32 q0, [%[output]], #4\n\t"
                     "letp lr, 1b"
                     : [input1] "+l"(input1), [input2] "+l"(input2), [output] "+l"(output)
                     : [count] "r"(count), [sign] "r"(params->sign),
                       [offset1] "r"(params->input1_offset), [offset2] "r"(params->input2_offset),
                       [offset] "r"(params->output_offset),
                       [multiplier1] "r"(params->input1_multiplier),
                       [multiplier2] "r"(params->input2_multiplier),
                       [multiplier] "r"(params->output_multiplier),
                       [shift1] "w"(vdupq_n_s32(params->input1_shift)),
                       [shift2] "w"(vdupq_n_s32(params->input2_shift)),
                       [shift] "w"(vdupq_n_s32(params->output_shift)),
                       [low] "w"(vdupq_n_s32(params->output_min)),
                       [high] "w"(vdupq_n_s32(params->output_max))
                     : "lr", "q0", "q1", "q2", "memory");
#else
    for (int32_t i = 0; i < count; ++i) {
        const int32_t value1 = (input1[i] + params->input1_offset) * (1 << EXTRA_BITS);
        const int32_t value2 = (input2[i] + params->input2_offset) * (1 << EXTRA_BITS);
        const int32_t scaled1 =
            ear_scale_down(value1, params->input1_multiplier, params->input1_shift);
        const int32_t scaled2 =
            ear_scale_down(value2, params->input2_multiplier, params->input2_shift);
        output[i] = (int8_t)ear_scale_to(
            scaled1 + params->sign * scaled2, params->output_multiplier, params->output_shift,
            params->output_offset, params->output_min, params->output_max);
    }
#endif
}
