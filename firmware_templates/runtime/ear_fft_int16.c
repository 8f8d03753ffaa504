#include "ear_fft.h"

/* Q15 product, rounded half up. */
static inline int32_t product(int32_t a, int32_t b)
{
    return (a * b + (1 << 14)) >> 15;
}

typedef struct {
    int32_t re, im;
} complex_t;

/* A word divided by the radix: the factor is 32767 / radix. */
static inline complex_t scaled(uint32_t word, int32_t factor)
{
    return (complex_t){product(ear_low16(word), factor), product(ear_high16(word), factor)};
}

static inline complex_t rotated(complex_t z, uint32_t twiddle)
{
    const int32_t re = ear_low16(twiddle);
    const int32_t im = ear_high16(twiddle);
    return (complex_t){(z.re * re - z.im * im + (1 << 14)) >> 15,
                       (z.re * im + z.im * re + (1 << 14)) >> 15};
}

static inline void butterfly4(uint32_t *data, uint32_t distance, complex_t a, complex_t b,
                              complex_t c, complex_t d)
{
    const complex_t even = {a.re + c.re, a.im + c.im};
    const complex_t odd = {b.re + d.re, b.im + d.im};
    const complex_t even_gap = {a.re - c.re, a.im - c.im};
    const complex_t odd_gap = {b.re - d.re, b.im - d.im};
    data[0] = ear_pack16(even.re + odd.re, even.im + odd.im);
    data[distance] = ear_pack16(even_gap.re + odd_gap.im, even_gap.im - odd_gap.re);
    data[2 * distance] = ear_pack16(even.re - odd.re, even.im - odd.im);
    data[3 * distance] = ear_pack16(even_gap.re - odd_gap.im, even_gap.im + odd_gap.re);
}

/* The first stage has no rotation: after the division a Q15 product with 32767 changes nothing. */
static uint32_t first_stage(uint32_t *data, uint32_t points)
{
    if (points & 0xAAAAAAAAu) {
        for (uint32_t i = 0; i < points; i += 2) {
            const complex_t a = scaled(data[i], 32767 / 2);
            const complex_t b = scaled(data[i + 1], 32767 / 2);
            data[i] = ear_pack16(a.re + b.re, a.im + b.im);
            data[i + 1] = ear_pack16(a.re - b.re, a.im - b.im);
        }
        return 2;
    }
    for (uint32_t i = 0; i < points; i += 4) {
        butterfly4(&data[i], 1, scaled(data[i], 32767 / 4), scaled(data[i + 1], 32767 / 4),
                   scaled(data[i + 2], 32767 / 4), scaled(data[i + 3], 32767 / 4));
    }
    return 4;
}

static void radix4_stage(uint32_t *data, uint32_t points, uint32_t distance,
                         const uint32_t *twiddles)
{
    const uint32_t stride = points / (4 * distance);
    for (uint32_t k = 0; k < distance; ++k) {
        const uint32_t w1 = twiddles[k * stride];
        const uint32_t w2 = twiddles[2 * k * stride];
        const uint32_t w3 = twiddles[3 * k * stride];
        for (uint32_t i = k; i < points; i += 4 * distance) {
            uint32_t *const x = &data[i];
            butterfly4(x, distance, scaled(x[0], 32767 / 4),
                       rotated(scaled(x[distance], 32767 / 4), w1),
                       rotated(scaled(x[2 * distance], 32767 / 4), w2),
                       rotated(scaled(x[3 * distance], 32767 / 4), w3));
        }
    }
}

/* Separate the spectrum of the even samples from that of the odd ones, and join them. */
static void split(const ear_fft_int16_t *fft, uint32_t *data)
{
    const uint32_t n = fft->points;
    const complex_t sum = scaled(data[0], 32767 / 2);
    data[0] = ear_pack16(sum.re + sum.im, 0);
    data[n] = ear_pack16(sum.re - sum.im, 0);
    for (uint32_t k = 1; k <= n / 2; ++k) {
        const complex_t a = scaled(data[k], 32767 / 2);
        const uint32_t mirror = data[n - k];
        const complex_t b = scaled(ear_pack16(ear_low16(mirror), -ear_high16(mirror)), 32767 / 2);
        const complex_t even = {a.re + b.re, a.im + b.im};
        const complex_t odd = rotated((complex_t){a.re - b.re, a.im - b.im}, fft->split[k - 1]);
        const int32_t odd_re = (int16_t)odd.re;
        const int32_t odd_im = (int16_t)odd.im;
        data[k] = ear_pack16((even.re + odd_re) >> 1, (even.im + odd_im) >> 1);
        data[n - k] = ear_pack16((even.re - odd_re) >> 1, (odd_im - even.im) >> 1);
    }
}

void ear_fft_int16(const ear_fft_int16_t *fft, uint32_t *data)
{
    uint32_t distance = first_stage(data, fft->points);
    for (; distance < fft->points; distance *= 4) {
        radix4_stage(data, fft->points, distance, fft->twiddles);
    }
    split(fft, data);
}
