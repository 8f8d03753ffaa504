/* Instructions of the DSP extension of Arm cores (Cortex-M4, M7, M33), on two int16 or four int8
 * in a word. EAR_DSP tells whether the core has them; where it has not, this declares nothing. */
#ifndef EAR_DSP_H
#define EAR_DSP_H

#include "ear.h"

#if defined(__ARM_FEATURE_DSP) && defined(__arm__)
#define EAR_DSP 1
#else
#define EAR_DSP 0
#endif

#if EAR_DSP

#include <arm_acle.h>
#include <string.h>

/* Four int8 that need not be aligned. */
static inline uint32_t ear_dsp_quad(const int8_t *from)
{
    uint32_t quad;
    memcpy(&quad, from, sizeof quad);
    return quad;
}

/* Two int16 that need not be aligned. */
static inline int16x2_t ear_dsp_pair(const int16_t *from)
{
    int16x2_t pair;
    memcpy(&pair, from, sizeof pair);
    return pair;
}

/* The last 1 to 3 of a row, and zeros. */
static inline uint32_t ear_dsp_rest(const int8_t *from, int32_t count)
{
    uint32_t quad = (uint8_t)from[0];
    quad |= count > 1 ? (uint32_t)(uint8_t)from[1] << 8 : 0u;
    quad |= count > 2 ? (uint32_t)(uint8_t)from[2] << 16 : 0u;
    return quad;
}

/* Bytes 0 and 2, or 1 and 3, of a quad as a pair of int16. */
static inline int16x2_t ear_dsp_even(uint32_t quad)
{
    return __sxtb16((int8x4_t)quad);
}

static inline int16x2_t ear_dsp_odd(uint32_t quad)
{
    int16x2_t pair;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(quad));
    return pair;
}

/* The same, added to a pair. */
static inline int16x2_t ear_dsp_add_even(int16x2_t pair, uint32_t quad)
{
    return __sxtab16(pair, (int8x4_t)quad);
}

static inline int16x2_t ear_dsp_add_odd(int16x2_t pair, uint32_t quad)
{
    int16x2_t sum;
    __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(sum) : "r"(pair), "r"(quad));
    return sum;
}

/* The larger of each two int8. */
static inline uint32_t ear_dsp_most(uint32_t a, uint32_t b)
{
    uint32_t most;
    __asm__("ssub8 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(most) : "r"(a), "r"(b));
    return most;
}

/* The same int16 twice. */
static inline int16x2_t ear_dsp_twice(int32_t value)
{
    return (int16x2_t)(((uint32_t)value & 0xffffu) * 0x10001u);
}

/* a * b / 2^32, rounded half up. */
static inline int32_t ear_dsp_multiply_high(int32_t a, int32_t b)
{
    int32_t high;
    __asm__("smmulr %0, %1, %2" : "=r"(high) : "r"(a), "r"(b));
    return high;
}

/* How scaling by multiplier * 2^(shift - 31) ends for shifts of -20 to -1: with half a unit and
 * the zero point, as ear_dsp_scale adds them. */
static inline bool ear_dsp_can_scale(int32_t shift)
{
    return (uint32_t)(-1 - shift) < 20u;
}

static inline int32_t ear_dsp_end(int32_t zero_point, int32_t shift)
{
    return (int32_t)((uint32_t)(2 * zero_point + 1) << (-1 - shift));
}

/* ear_scale_to of an int8 that is clamped to its whole range. What saturates on the way is clamped
 * at the end in any case: 2^29 / 2^20 is more than the range and the zero point. */
static inline int32_t ear_dsp_scale(int32_t x, int32_t multiplier, int32_t right, int32_t end)
{
    const int32_t high = ear_dsp_multiply_high(__qadd(x, x), multiplier);
    int32_t value = __qadd(high + (high >> 31), end) >> right;
    __asm__("ssat %0, #8, %1" : "=r"(value) : "r"(value)); /* __ssat's type is not int32_t */
    return value;
}

#endif
#endif
