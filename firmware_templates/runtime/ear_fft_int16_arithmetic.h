/* What the stages of the 16-bit FFT compute with: complex numbers in one word. */
#ifndef EAR_FFT_INT16_ARITHMETIC_H
#define EAR_FFT_INT16_ARITHMETIC_H

#include "ear_fft_int16.h"

/* See ear_fft_stages.h. */
#define EAR_FFT_ARITHMETIC

typedef uint32_t complex_t;

/* Arithmetic on packed complex numbers; halves wrap at 16 bits. */
#if defined(__ARM_FEATURE_DSP)

#include <arm_acle.h>

#define HALF (1 << 14)

/* Two Q30 sums to Q15 halves; sums are given with their rounding added. */
static inline uint32_t packed(int32_t re, int32_t im)
{
    const uint32_t high = (uint32_t)im << 1;
    return (high & 0xFFFF0000u) | ((uint32_t)(re >> 15) & 0xFFFFu);
}

/* z * factor in Q15, rounded half up */
static inline uint32_t scaled(uint32_t z, int32_t factor)
{
    return packed(__smlabb((int32_t)z, factor, HALF), __smlatb((int32_t)z, factor, HALF));
}

/* z * w in Q15, rounded half up */
static inline uint32_t rotated(uint32_t z, uint32_t w)
{
    const int16x2_t a = (int16x2_t)z;
    const int16x2_t b = (int16x2_t)w;
    return packed(__smlsd(a, b, HALF), __smladx(a, b, HALF));
}

static inline uint32_t sum(uint32_t a, uint32_t b)
{
    return (uint32_t)__sadd16((int16x2_t)a, (int16x2_t)b);
}

static inline uint32_t difference(uint32_t a, uint32_t b)
{
    return (uint32_t)__ssub16((int16x2_t)a, (int16x2_t)b);
}

/* a + j b */
static inline uint32_t turned_sum(uint32_t a, uint32_t b)
{
    return (uint32_t)__sasx((int16x2_t)a, (int16x2_t)b);
}

/* a - j b */
static inline uint32_t turned_difference(uint32_t a, uint32_t b)
{
    return (uint32_t)__ssax((int16x2_t)a, (int16x2_t)b);
}

/* (a + b) / 2, rounded down */
static inline uint32_t mean(uint32_t a, uint32_t b)
{
    return (uint32_t)__shadd16((int16x2_t)a, (int16x2_t)b);
}

/* (a - b) / 2, rounded down */
static inline uint32_t half_difference(uint32_t a, uint32_t b)
{
    return (uint32_t)__shsub16((int16x2_t)a, (int16x2_t)b);
}

#else

static inline int32_t product(int32_t a, int32_t b)
{
    return (a * b + (1 << 14)) >> 15;
}

static inline uint32_t scaled(uint32_t z, int32_t factor)
{
    return ear_pack16(product(ear_low16(z), factor), product(ear_high16(z), factor));
}

static inline uint32_t rotated(uint32_t z, uint32_t w)
{
    const int32_t re = ear_low16(w);
    const int32_t im = ear_high16(w);
    return ear_pack16((ear_low16(z) * re - ear_high16(z) * im + (1 << 14)) >> 15,
                      (ear_low16(z) * im + ear_high16(z) * re + (1 << 14)) >> 15);
}

static inline uint32_t sum(uint32_t a, uint32_t b)
{
    return ear_pack16(ear_low16(a) + ear_low16(b), ear_high16(a) + ear_high16(b));
}

static inline uint32_t difference(uint32_t a, uint32_t b)
{
    return ear_pack16(ear_low16(a) - ear_low16(b), ear_high16(a) - ear_high16(b));
}

static inline uint32_t turned_sum(uint32_t a, uint32_t b)
{
    return ear_pack16(ear_low16(a) - ear_high16(b), ear_high16(a) + ear_low16(b));
}

static inline uint32_t turned_difference(uint32_t a, uint32_t b)
{
    return ear_pack16(ear_low16(a) + ear_high16(b), ear_high16(a) - ear_low16(b));
}

static inline uint32_t mean(uint32_t a, uint32_t b)
{
    return ear_pack16((ear_low16(a) + ear_low16(b)) >> 1, (ear_high16(a) + ear_high16(b)) >> 1);
}

static inline uint32_t half_difference(uint32_t a, uint32_t b)
{
    return ear_pack16((ear_low16(a) - ear_low16(b)) >> 1, (ear_high16(a) - ear_high16(b)) >> 1);
}

#endif

/* KISS FFT divides by a radix r by a product with 32767 / r, in each stage before its sums. */
static inline uint32_t halved(uint32_t z)
{
    return scaled(z, 32767 / 2);
}

static inline uint32_t quartered(uint32_t z)
{
    return scaled(z, 32767 / 4);
}

#endif
