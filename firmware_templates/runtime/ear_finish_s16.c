#include "ear_finish_s16.h"

#include "ear_requantize.h"

static int64_t bias_of(const ear_channels_s16_t *channels, int32_t channel)
{
    if (channels->bias == NULL) {
        return 0;
    }
    const int32_t low = channels->bias[channel];
    if (channels->bias_high == NULL) {
        return low;
    }
    return channels->bias_high[channel] * ((int64_t)1 << 32) + (uint32_t)low;
}

/* sum * factor / 2^shift, rounded half up; what exceeds int32 wraps, as in the reference. */
static int32_t scaled_once(int64_t sum, int32_t factor, int32_t shift)
{
    return (int32_t)((sum * factor + ((int64_t)1 << (shift - 1))) >> shift);
}

void ear_finish_s16(const ear_finish_s16_t *finish, int32_t channel, int32_t count,
                    const int64_t *sums, int16_t *output)
{
    const ear_channels_s16_t *const channels = finish->channels;
    for (int32_t i = 0; i < count; ++i) {
        const int32_t at = (channel + i) * channels->step;
        const int64_t sum = sums[i] + bias_of(channels, channel + i);
        const int32_t scaled =
            channels->factors != NULL
                ? scaled_once(sum, channels->factors[at], channels->shifts[at])
                : ear_scale((int32_t)sum, channels->multipliers[at], channels->shifts[at]);
        output[i] = (int16_t)ear_clamp(scaled, finish->low, finish->high);
    }
}
