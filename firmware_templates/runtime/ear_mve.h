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
    for (; count > 0; count -= 16, to += 16, from += 16) {
        const mve_pred16_t lanes = vctp8q((uint32_t)count);
        vstrbq_p_s8(to, vldrbq_z_s8(from, lanes), lanes);
    }
}

static inline void ear_mve_fill(int8_t *to, int8_t value, int32_t count)
{
    for (; count > 0; count -= 16, to += 16) {
        vstrbq_p_s8(to, vdupq_n_s8(value), vctp8q((uint32_t)count));
    }
}

/* ear_scale_to of four sums. */
static inline int32x4_t ear_mve_scale(int32x4_t sums, int32x4_t multipliers, int32x4_t shifts,
                                      const ear_mve_finish_t *finish)
{
    const int32x4_t high = vqrdmulhq_s32(sums, multipliers);
    /* Shifts round half up: one less makes it half away from zero where both are negative. */
    const int32x4_t less = vshrq_n_s32(vandq_s32(high, shifts), 31);
    const int32x4_t scaled = vrshlq_s32(vaddq_s32(high, less), shifts);
    const int32x4_t moved = vaddq_n_s32(scaled, finish->zero_point);
    return vminq_s32(vmaxq_s32(moved, vdupq_n_s32(finish->low)), vdupq_n_s32(finish->high));
}

/* The outputs of `count` channels from their sums. */
static inline void ear_mve_finish(const ear_mve_finish_t *finish, int32_t first, int32_t count,
                                  const int32_t *sums, int8_t *output)
{
    const ear_mve_finish_t own = *finish;
    const int32_t *multipliers = own.multipliers + first;
    const int8_t *shifts = own.shifts + first;
    for (; count >= 4; count -= 4) {
        vstrbq_s32(output, ear_mve_scale(vldrwq_s32(sums), vldrwq_s32(multipliers),
                                         vldrbq_s32(shifts), &own));
        sums += 4;
        multipliers += 4;
        shifts += 4;
        output += 4;
    }
    if (count > 0) {
        const mve_pred16_t lanes = vctp32q((uint32_t)count);
        const int32x4_t values =
            ear_mve_scale(vldrwq_z_s32(sums, lanes), vldrwq_z_s32(multipliers, lanes),
                          vldrbq_z_s32(shifts, lanes), &own);
        vstrbq_p_s32(output, values, lanes);
    }
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
