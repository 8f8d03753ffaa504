#include "ear_fft_int16_inverse.h"

#include "ear_fft_stages.h"

static inline uint32_t swapped(uint32_t z)
{
    return (z << 16) | (z >> 16);
}

/* The inverse transform is the forward one of numbers whose parts are swapped: every sum and
 * every rounding is the same, part by part. So are the steps that join what split() separates. */
void ear_fft_int16_inverse(const ear_fft_int16_t *fft, const uint32_t *spectrum, uint32_t *data)
{
    const uint32_t n = fft->points;
    const int32_t lowest = ear_low16(spectrum[0]);
    const int32_t highest = ear_low16(spectrum[n]);
    data[fft->order[0]] = halved(ear_pack16(lowest - highest, lowest + highest));
    for (uint32_t k = 1; k <= n / 2; ++k) {
        const uint32_t mirror = spectrum[n - k];
        const uint32_t a = halved(swapped(spectrum[k]));
        const uint32_t b = halved(ear_pack16(-ear_high16(mirror), (int32_t)mirror));
        const uint32_t even = sum(a, b);
        const uint32_t odd = rotated(difference(a, b), fft->split[k - 1]);
        const uint32_t gap = difference(even, odd);
        data[fft->order[k]] = sum(even, odd);
        data[fft->order[n - k]] = ear_pack16(-ear_low16(gap), ear_high16(gap));
    }
    uint32_t distance = first_stage(data, fft->points);
    for (; distance < fft->points; distance *= 4) {
        radix4_stage(data, fft->points, distance, fft->twiddles);
    }
    for (uint32_t k = 0; k < n; ++k) {
        data[k] = swapped(data[k]);
    }
}
