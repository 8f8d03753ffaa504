#include "ear_fft_int16.h"

#include "ear_fft_stages.h"

/* Separate the spectrum of the even samples from that of the odd ones, and join them. */
static void split(const ear_fft_int16_t *fft, uint32_t *data)
{
    const uint32_t n = fft->points;
    const uint32_t first = halved(data[0]);
    data[0] = ear_pack16(ear_low16(first) + ear_high16(first), 0);
    data[n] = ear_pack16(ear_low16(first) - ear_high16(first), 0);
    for (uint32_t k = 1; k <= n / 2; ++k) {
        const uint32_t a = halved(data[k]);
        const uint32_t mirror = data[n - k];
        const uint32_t b = halved(ear_pack16((int32_t)mirror, -ear_high16(mirror)));
        const uint32_t even = sum(a, b);
        const uint32_t odd = rotated(difference(a, b), fft->split[k - 1]);
        data[k] = mean(even, odd);
        data[n - k] = (half_difference(even, odd) & 0xFFFFu) |
                      (half_difference(odd, even) & 0xFFFF0000u);
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
