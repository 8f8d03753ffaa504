#include "ear_fft_kiss32.h"

#define EAR_FFT_ARITHMETIC

typedef ear_complex32_t complex_t;

static inline int32_t added(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

static inline int32_t subtracted(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a - (uint32_t)b);
}

static inline int32_t rounded(int64_t x)
{
    return (int32_t)((x + (1 << 30)) >> 31);
}

static inline complex_t scaled(complex_t z, int32_t factor)
{
    return (complex_t){rounded((int64_t)z.re * factor), rounded((int64_t)z.im * factor)};
}

static inline complex_t halved(complex_t z)
{
    return scaled(z, INT32_MAX / 2);
}

static inline complex_t quartered(complex_t z)
{
    return scaled(z, INT32_MAX / 4);
}

static inline complex_t rotated(complex_t z, complex_t w)
{
    return (complex_t){rounded((int64_t)z.re * w.re - (int64_t)z.im * w.im),
                       rounded((int64_t)z.re * w.im + (int64_t)z.im * w.re)};
}

static inline complex_t sum(complex_t a, complex_t b)
{
    return (complex_t){added(a.re, b.re), added(a.im, b.im)};
}

static inline complex_t difference(complex_t a, complex_t b)
{
    return (complex_t){subtracted(a.re, b.re), subtracted(a.im, b.im)};
}

static inline complex_t turned_sum(complex_t a, complex_t b)
{
    return (complex_t){subtracted(a.re, b.im), added(a.im, b.re)};
}

static inline complex_t turned_difference(complex_t a, complex_t b)
{
    return (complex_t){added(a.re, b.im), subtracted(a.im, b.re)};
}

#include "ear_fft_stages.h"

static void transform(const ear_fft_kiss32_t *fft, complex_t *data)
{
    const complex_t *const twiddles = (const void *)fft->twiddles;
    uint32_t distance = first_stage(data, fft->points);
    for (; distance < fft->points; distance *= 4) {
        radix4_stage(data, fft->points, distance, twiddles);
    }
}

static inline complex_t split_at(const ear_fft_kiss32_t *fft, uint32_t k)
{
    return (complex_t){fft->split[2 * k], fft->split[2 * k + 1]};
}

void ear_fft_kiss32(const ear_fft_kiss32_t *fft, ear_complex32_t *data)
{
    const uint32_t n = fft->points;
    transform(fft, data);
    const complex_t first = halved(data[0]);
    data[0] = (complex_t){added(first.re, first.im), 0};
    data[n] = (complex_t){subtracted(first.re, first.im), 0};
    for (uint32_t k = 1; k <= n / 2; ++k) {
        const complex_t mirror = data[n - k];
        const complex_t a = halved(data[k]);
        const complex_t b = halved((complex_t){mirror.re, subtracted(0, mirror.im)});
        const complex_t even = sum(a, b);
        const complex_t odd = rotated(difference(a, b), split_at(fft, k - 1));
        const complex_t both = sum(even, odd);
        data[k] = (complex_t){both.re >> 1, both.im >> 1};
        data[n - k] = (complex_t){subtracted(even.re, odd.re) >> 1,
                                  subtracted(odd.im, even.im) >> 1};
    }
}

static inline complex_t swapped(complex_t z)
{
    return (complex_t){z.im, z.re};
}

/* By way of the forward transform, as ear_fft_int16_inverse.c. */
void ear_fft_kiss32_inverse(const ear_fft_kiss32_t *fft, const ear_complex32_t *spectrum,
                            ear_complex32_t *data)
{
    const uint32_t n = fft->points;
    const int32_t lowest = spectrum[0].re;
    const int32_t highest = spectrum[n].re;
    data[fft->order[0]] =
        halved((complex_t){subtracted(lowest, highest), added(lowest, highest)});
    for (uint32_t k = 1; k <= n / 2; ++k) {
        const complex_t mirror = spectrum[n - k];
        const complex_t a = halved(swapped(spectrum[k]));
        const complex_t b = halved((complex_t){subtracted(0, mirror.im), mirror.re});
        const complex_t even = sum(a, b);
        const complex_t odd = rotated(difference(a, b), split_at(fft, k - 1));
        const complex_t gap = difference(even, odd);
        data[fft->order[k]] = sum(even, odd);
        data[fft->order[n - k]] = (complex_t){subtracted(0, gap.re), gap.im};
    }
    transform(fft, data);
    for (uint32_t k = 0; k < n; ++k) {
        data[k] = swapped(data[k]);
    }
}
