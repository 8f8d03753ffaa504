#include "ear_kernels_s16.h"

#include "ear_requantize.h"

static int32_t look_up(const int16_t *table, int32_t value)
{
    const int16_t *const base = table + 256 + (value >> 7);
    return base[0] + (((base[1] - base[0]) * (value & 127) + 64) >> 7);
}

/* e^(value - largest), Q0.15. */
static int16_t exponential(const ear_softmax_s16_t *params, int32_t value, int32_t largest)
{
    const int32_t scaled = ear_scale(value - largest, params->multiplier, params->shift);
    const int32_t centred = (int32_t)((uint32_t)scaled + (uint32_t)INT16_MAX);
    return (int16_t)look_up(params->exps, ear_clamp(centred, INT16_MIN, INT16_MAX));
}

/* The left shift that brings a positive sum to [2^30, 2^31). */
static int32_t headroom(int32_t sum)
{
    int32_t shift = 0;
    while ((sum << shift) < 1 << 30) {
        ++shift;
    }
    return shift;
}

static void one_row(const ear_softmax_s16_t *params, const int16_t *input, int16_t *output)
{
    int16_t largest = INT16_MIN;
    for (int32_t i = 0; i < params->depth; ++i) {
        largest = input[i] > largest ? input[i] : largest;
    }
    int32_t sum = 0; /* Q16.15 */
    for (int32_t i = 0; i < params->depth; ++i) {
        output[i] = exponential(params, input[i], largest);
        sum += output[i];
    }
    const int32_t shift = headroom(sum);
    /* 1 to 2 in Q1.16, less 1, then from [0, 65535] to the table's [-32768, 32767]. */
    const int32_t rest = (int32_t)((((int64_t)sum << shift) + (1 << 13)) >> 14) - (1 << 16);
    const int32_t reciprocal =
        look_up(params->reciprocals, ear_clamp(rest - (1 << 15), INT16_MIN, INT16_MAX));
    const int32_t right = 30 - shift;
    for (int32_t i = 0; i < params->depth; ++i) {
        const int32_t part = (output[i] * reciprocal + (1 << (right - 1))) >> right;
        output[i] = (int16_t)ear_clamp(part, 0, INT16_MAX);
    }
}

void ear_softmax_s16(const ear_softmax_s16_t *params, const int16_t *input, int16_t *output)
{
    for (int32_t row = 0; row < params->rows; ++row) {
        one_row(params, input, output);
        input += params->depth;
        output += params->depth;
    }
}
