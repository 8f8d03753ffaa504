#include "ear_fft_int32.h"

typedef struct {
    int32_t re, im;
} complex_t;

/* sin(pi j / points) for j up to a whole wave, 2 * points - 1. */
static int32_t sine(const ear_fft_int32_t *fft, uint32_t j)
{
    const uint32_t half = j & (fft->points - 1);
    const uint32_t quarter = fft->points / 2;
    const int32_t value = fft->sine[half <= quarter ? half : fft->points - half];
    return j & fft->points ? -value : value;
}

/* exp(-pi j i / points) */
static complex_t twiddle(const ear_fft_int32_t *fft, uint32_t j)
{
    const uint32_t ahead = (j + fft->points / 2) & (2 * fft->points - 1);
    return (complex_t){sine(fft, ahead), -sine(fft, j)};
}

static inline complex_t quartered(const int32_t *z)
{
    return (complex_t){(z[0] + 2) >> 2, (z[1] + 2) >> 2};
}

/* z * w / 2^bits, w in Q31 */
static inline complex_t rotated(int32_t re, int32_t im, complex_t w, uint32_t bits)
{
    const int64_t half = (int64_t)1 << (30 + bits);
    return (complex_t){
        (int32_t)(((int64_t)re * w.re - (int64_t)im * w.im + half) >> (31 + bits)),
        (int32_t)(((int64_t)re * w.im + (int64_t)im * w.re + half) >> (31 + bits))};
}

static inline void store(int32_t *data, int32_t re, int32_t im)
{
    data[0] = re;
    data[1] = im;
}

/* distance: in numbers, two for a complex one */
static inline void butterfly4(int32_t *data, uint32_t distance, complex_t a, complex_t b,
                              complex_t c, complex_t d)
{
    const complex_t even = {a.re + c.re, a.im + c.im};
    const complex_t odd = {b.re + d.re, b.im + d.im};
    const complex_t even_gap = {a.re - c.re, a.im - c.im};
    const complex_t odd_gap = {b.re - d.re, b.im - d.im};
    store(data, even.re + odd.re, even.im + odd.im);
    store(data + distance, even_gap.re + odd_gap.im, even_gap.im - odd_gap.re);
    store(data + 2 * distance, even.re - odd.re, even.im - odd.im);
    store(data + 3 * distance, even_gap.re - odd_gap.im, even_gap.im + odd_gap.re);
}

static uint32_t first_stage(int32_t *data, uint32_t points)
{
    if (points & 0xAAAAAAAAu) {
        for (int32_t *x = data; x < data + 2 * points; x += 4) {
            const complex_t a = {(x[0] + 1) >> 1, (x[1] + 1) >> 1};
            const complex_t b = {(x[2] + 1) >> 1, (x[3] + 1) >> 1};
            store(x, a.re + b.re, a.im + b.im);
            store(x + 2, a.re - b.re, a.im - b.im);
        }
        return 2;
    }
    for (int32_t *x = data; x < data + 2 * points; x += 8) {
        butterfly4(x, 2, quartered(x), quartered(x + 2), quartered(x + 4), quartered(x + 6));
    }
    return 4;
}

static void radix4_stage(const ear_fft_int32_t *fft, int32_t *data, uint32_t distance)
{
    const uint32_t stride = fft->points / (2 * distance);
    const uint32_t step = 2 * distance;
    for (uint32_t k = 0; k < distance; ++k) {
        const complex_t w1 = twiddle(fft, k * stride);
        const complex_t w2 = twiddle(fft, 2 * k * stride);
        const complex_t w3 = twiddle(fft, 3 * k * stride);
        for (int32_t *x = data + 2 * k; x < data + 2 * fft->points; x += 4 * step) {
            butterfly4(x, step, quartered(x), rotated(x[step], x[step + 1], w1, 2),
                       rotated(x[2 * step], x[2 * step + 1], w2, 2),
                       rotated(x[3 * step], x[3 * step + 1], w3, 2));
        }
    }
}

/* (2 x + y) / 4, for sums beyond 32 bits */
static inline int32_t joined(int32_t x, int64_t y)
{
    return (int32_t)((2 * (int64_t)x + y + 2) >> 2);
}

/* Separate the spectrum of the even samples from that of the odd ones, and join them. */
static void split(const ear_fft_int32_t *fft, int32_t *data)
{
    const uint32_t n = fft->points;
    const int64_t even_sum = data[0];
    const int64_t odd_sum = data[1];
    store(data, (int32_t)((even_sum + odd_sum + 1) >> 1), 0);
    store(data + 2 * n, (int32_t)((even_sum - odd_sum + 1) >> 1), 0);
    for (uint32_t k = 1; k <= n / 2; ++k) {
        int32_t *const x = data + 2 * k;
        int32_t *const mirror = data + 2 * (n - k);
        const int64_t even_re = (int64_t)x[0] + mirror[0];
        const int64_t even_im = (int64_t)x[1] - mirror[1];
        const int32_t odd_re = (int32_t)(((int64_t)x[0] - mirror[0] + 1) >> 1);
        const int32_t odd_im = (int32_t)(((int64_t)x[1] + mirror[1] + 1) >> 1);
        const complex_t w = twiddle(fft, k);
        const complex_t odd = rotated(odd_re, odd_im, (complex_t){w.im, -w.re}, 0);
        store(x, joined(odd.re, even_re), joined(odd.im, even_im));
        store(mirror, joined(-odd.re, even_re), joined(odd.im, -even_im));
    }
}

void ear_fft_int32(const ear_fft_int32_t *fft, int32_t *data)
{
    uint32_t distance = first_stage(data, fft->points);
    for (; distance < fft->points; distance *= 4) {
        radix4_stage(fft, data, distance);
    }
    split(fft, data);
}
