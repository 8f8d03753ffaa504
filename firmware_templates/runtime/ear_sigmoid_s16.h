/* The steps of LOGISTIC and TANH on int16, which LSTM takes too. */
#ifndef EAR_SIGMOID_S16_H
#define EAR_SIGMOID_S16_H

#include "ear_kernels_s16.h"

/* The input in steps of 1/12288, rounded half up; at most 2^30 in size. */
static inline int32_t ear_sigmoid_input_s16(int32_t value, int32_t multiplier, int32_t shift)
{
    const int32_t half = shift > 0 ? 1 << (shift - 1) : 0;
    return (value * multiplier + half) >> shift;
}

/* sigmoid[at / 2^bits] with `bits` more bits below the point, which are interpolated; from entry
 * 255 on, `most` (without these bits). */
static inline int32_t ear_sigmoid_s16(const uint16_t *sigmoid, int32_t at, int32_t bits,
                                      int32_t most)
{
    const int32_t entry = at >> bits;
    if (entry >= 255) {
        return most << bits;
    }
    const int32_t low = sigmoid[entry];
    const int32_t high = sigmoid[entry + 1];
    return (low << bits) + (at & ((1 << bits) - 1)) * (high - low);
}

/* 1 / (1 + e^-x) in Q0.15, for x in steps of 1/12288: 512 to a table entry. */
static inline int16_t ear_sigmoid_logistic_s16(const uint16_t *sigmoid, int32_t at)
{
    const int32_t bits = 9;
    const int32_t most = 0xfffe;
    const int32_t half = 1 << bits;
    /* 1 - sigmoid(-x), less the smallest step so that both sides round alike. */
    const int32_t result =
        at >= 0 ? ear_sigmoid_s16(sigmoid, at, bits, most) + half
                : (1 << (16 + bits)) - ear_sigmoid_s16(sigmoid, -at, bits, most) + half - 1;
    return (int16_t)(result >> (bits + 1));
}

/* tanh(x) = 2 * sigmoid(2x) - 1 in Q0.15: the doubled argument has one bit less to an entry. */
static inline int16_t ear_sigmoid_tanh_s16(const uint16_t *sigmoid, int32_t at)
{
    const int32_t bits = 8;
    const int32_t most = 0xffff;
    const int32_t one = 1 << (15 + bits);
    const int32_t half = 1 << (bits - 1);
    const int32_t result = at >= 0 ? ear_sigmoid_s16(sigmoid, at, bits, most) - one + half
                                   : one - ear_sigmoid_s16(sigmoid, -at, bits, most) + half - 1;
    return (int16_t)(result >> bits);
}

#endif
