/* Vectors of 128 bits (MVE, "Helium": Cortex-M55 and M85) for kernels of int8. EAR_MVE tells
 * whether the core has them; where it has not, plain C does the same. */
#ifndef EAR_MVE_H
#define EAR_MVE_H

#include "ear_requantize.h"

#if defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 1)
#define EAR_MVE 1
#include <arm_mve.h>
#else
#define EAR_MVE 0
#include <string.h>
#endif

/* Values in a vector of int8: rows of weights and columns are padded to a multiple of it. */
#define EAR_MVE_BYTES 16

static inline int32_t ear_mve_padded(int32_t count)
{
    return (count + EAR_MVE_BYTES - 1) & -EAR_MVE_BYTES;
}

/* How sums become outputs: tables by output channel, shifts of -31 to 0. */
typedef struct {
    const int32_t *multipliers;
    const int8_t *shifts;
    int32_t zero_point;
    int32_t low;
    int32_t high;
} ear_mve_finish_t;

#if EAR_MVE

static inline void ear_mve_copy(int8_t *to, const int8_t *from, int32_t count)
{
    __asm__ volatile("wlstp.8 lr, %[count], 2f\n"
                     "1:\n\t"
                     "vldrb.8 q0, [%[from]], #16\n\t"
                     "vstrb.8 q0, [%[to]], #16\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [to] "+r"(to), [from] "+r"(from)
                     : [count] "r"(count)
                     : "lr", "q0", "memory");
}

static inline void ear_mve_fill(int8_t *to, int8_t value, int32_t count)
{
    __asm__ volatile("wlstp.8 lr, %[count], 2f\n"
                     "1:\n\t"
                     "vstrb.8 %q[value], [%[to]], #16\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [to] "+r"(to)
                     : [count] "r"(count), [value] "w"(vdupq_n_s8(value))
                     : "lr", "memory");
}

/* The outputs of `count` channels from their sums. The loop's last round has the lanes that are
 * left. Shifts round half up: one less makes it half away from zero where number and shift are
 * negative. */
static inline void ear_mve_finish(const ear_mve_finish_t *finish, int32_t first, int32_t count,
                                  const int32_t *sums, int8_t *output)
{
    const int32_t *multipliers = finish->multipliers + first;
    const int8_t *shifts = finish->shifts + first;
    __asm__ volatile("vdup.32 q4, %[low]\n\t"
                     "vdup.32 q5, %[high]\n\t"
                     "dlstp.32 lr, %[count]\n"
                     "1:\n\t"
                     "vldrw.32 q0, [%[sums]], #16\n\t"
                     "vldrw.32 q1, [%[multipliers]], #16\n\t"
                     "vqrdmulh.s32 q0, q0, q1\n\t"
                     "vldrb.s32 q2, [%[shifts]], #4\n\t"
                     "vand q3, q0, q2\n\t"
                     "vshr.s32 q3, q3, #31\n\t"
                     "vadd.i32 q0, q0, q3\n\t"
                     "vrshl.s32 q0, q0, q2\n\t"
                     "vadd.i32 q0, q0, %[zero_point]\n\t"
                     "vmax.s32 q0, q0, q4\n\t"
                     "vmin.s32 q0, q0, q5\n\t"
                     "vstrb.32 q0, [%[output]], #4\n\t"
                     "letp lr, 1b"
                     : [sums] "+r"(sums), [multipliers] "+r"(multipliers),
                       [shifts] "+l"(shifts), [output] "+l"(output)
                     : [count] "r"(count), [low] "r"(finish->low), [high] "r"(finish->high),
                       [zero_point] "r"(finish->zero_point)
                     : "lr", "q0", "q1", "q2", "q3", "q4", "q5", "memory");
}

#else

static inline void ear_mve_copy(int8_t *to, const int8_t *from, int32_t count)
{
    memcpy(to, from, (size_t)count);
}

static inline void ear_mve_fill(int8_t *to, int8_t value, int32_t count)
{
    memset(to, value, (size_t)count);
}

static inline void ear_mve_finish(const ear_mve_finish_t *finish, int32_t first, int32_t count,
                                  const int32_t *sums, int8_t *output)
{
    for (int32_t i = 0; i < count; ++i) {
        output[i] = (int8_t)ear_scale_to(sums[i], finish->multipliers[first + i],
                                         finish->shifts[first + i], finish->zero_point,
                                         finish->low, finish->high);
    }
}

#endif
#endif
