#include "ear_finish_s16.h"

#include "ear_requantize.h"

/* sum * factor / 2^shift, rounded half up, for shifts from 17 on: of the product of sum and
 * factor * 2^16 the high word alone is looked at, since the low one cannot change the result. */
static inline int32_t scaled_once(int32_t sum, int32_t factor, int32_t shift)
{
    const int32_t high = (int32_t)(((int64_t)sum * (factor * (1 << 16))) >> 32);
    return (high + (1 << (shift - 17))) >> (shift - 16);
}

void ear_finish_s16(const ear_finish_s16_t *finish, int32_t channel, int32_t count,
                    const int32_t *sums, int16_t *output)
{
    /* All fields in registers: as far as C knows, a store to output could change them. */
    const ear_channels_s16_t channels = *finish->channels;
    const int32_t *const bias = channels.bias != NULL ? channels.bias + channel : NULL;
    const int32_t low = finish->low;
    const int32_t high = finish->high;
    int32_t at = channel * channels.step;
    for (int32_t i = 0; i < count; ++i, at += channels.step) {
        const int32_t sum = bias != NULL ? ear_wrapping_sum(sums[i], bias[i]) : sums[i];
        const int32_t scaled = channels.factors != NULL
                                   ? scaled_once(sum, channels.factors[at], channels.shifts[at])
                                   : ear_scale(sum, channels.multipliers[at], channels.shifts[at]);
        output[i] = (int16_t)ear_clamp(scaled, low, high);
    }
}

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

int16_t ear_finish_one_s16(const ear_finish_s16_t *finish, int32_t channel, int64_t sum)
{
    const ear_channels_s16_t *const channels = finish->channels;
    if (channels->fits) {
        const int32_t narrow = (int32_t)sum;
        int16_t output;
        ear_finish_s16(finish, channel, 1, &narrow, &output);
        return output;
    }
    const int32_t at = channel * channels->step;
    const int64_t product = (sum + bias_of(channels, channel)) * channels->factors[at];
    const int32_t shift = channels->shifts[at];
    /* What exceeds int32 wraps, as in the reference. */
    const int32_t scaled = (int32_t)((product + ((int64_t)1 << (shift - 1))) >> shift);
    return (int16_t)ear_clamp(scaled, finish->low, finish->high);
}
