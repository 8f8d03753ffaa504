/* Steps that the kernels of aarch64 share; where the core has no vectors, this declares nothing. */
#ifndef EAR_NEON_H
#define EAR_NEON_H

#include "ear_kernels_neon.h"
#include "ear_neon_core.h"

#if EAR_NEON

/* ear_scale_down of four sums: a shift right rounds half up, so negative numbers are one less. */
static inline int32x4_t ear_neon_scale(int32x4_t sums, int32x4_t multipliers, int32x4_t shifts)
{
    const int32x4_t high = vqrdmulhq_s32(sums, multipliers);
    return vrshlq_s32(vsraq_n_s32(high, high, 31), shifts);
}

/* What is to be done with outputs of all channels, from ear_ends_neon_t. */
typedef struct {
    int16x8_t zero_point;
    int8x16_t low;
    int8x16_t high;
} ear_neon_clamp_t;

static inline ear_neon_clamp_t ear_neon_clamp_of(const ear_ends_neon_t *ends)
{
    const ear_neon_clamp_t clamp = {vdupq_n_s16((int16_t)ends->zero_point),
                                    vdupq_n_s8((int8_t)ends->low), vdupq_n_s8((int8_t)ends->high)};
    return clamp;
}

/* Sixteen scaled sums as outputs. What saturates at 16 bits is out of range at 8 bits as well. */
static inline int8x16_t ear_neon_outputs(const ear_neon_clamp_t *clamp, const int32x4_t scaled[4])
{
    const int16x8_t low = vqmovn_high_s32(vqmovn_s32(scaled[0]), scaled[1]);
    const int16x8_t high = vqmovn_high_s32(vqmovn_s32(scaled[2]), scaled[3]);
    const int8x16_t all = vqmovn_high_s16(vqmovn_s16(vqaddq_s16(low, clamp->zero_point)),
                                          vqaddq_s16(high, clamp->zero_point));
    return vminq_s8(vmaxq_s8(all, clamp->low), clamp->high);
}

#endif
#endif
