#include "ear_softmax.h"

#include "ear_requantize.h"

#define SUM_INTEGER_BITS 12

int8_t ear_softmax_largest(const int8_t *row, int32_t depth)
{
    int8_t largest = INT8_MIN;
    for (int32_t i = 0; i < depth; ++i) {
        largest = row[i] > largest ? row[i] : largest;
    }
    return largest;
}

int32_t ear_leading_zeros(uint32_t x)
{
    int32_t count = 0;
    while (count < 32 && (x & (1u << 31)) == 0) {
        x <<= 1;
        ++count;
    }
    return count;
}

/* Three Newton steps towards 1/d with d = (1 + x) / 2, from the best line 48/17 - 32/17 d; values
 * in Q2.29. */
int32_t ear_one_over_one_plus(int32_t x)
{
    const int32_t half = (int32_t)(((int64_t)x + INT32_MAX + 1) / 2);
    int32_t estimate = 1515870810 + ear_multiply_high(half, -1010580540);
    for (int32_t step = 0; step < 3; ++step) {
        const int32_t error = (1 << 29) - ear_multiply_high(half, estimate);
        const int32_t correction = ear_multiply_high(estimate, error); /* Q4.27 */
        estimate += (int32_t)((uint32_t)correction << 2);
    }
    /* estimate / 2 is 1 / (1 + x); as Q0.31 it saturates at x = 0. */
    return estimate >= 1 << 30 ? INT32_MAX : (int32_t)((uint32_t)estimate << 1);
}

ear_softmax_scale_t ear_softmax_scale(const ear_softmax_t *params, const int8_t *row,
                                      int8_t largest)
{
    int32_t sum = 0;
    for (int32_t i = 0; i < params->depth; ++i) {
        const int32_t difference = largest - row[i];
        if (difference < params->count) {
            sum += ear_divide_by_power(params->exps[difference], SUM_INTEGER_BITS);
        }
    }
    const int32_t headroom = ear_leading_zeros((uint32_t)sum);
    const uint32_t normal = (uint32_t)sum << headroom; /* in [2^31, 2^32): 1 to 2 */
    const ear_softmax_scale_t scale = {ear_one_over_one_plus((int32_t)(normal - (1u << 31))),
                                       SUM_INTEGER_BITS - headroom};
    return scale;
}

int32_t ear_softmax_probability(const ear_softmax_t *params, ear_softmax_scale_t scale,
                                int32_t difference, int32_t bits)
{
    if (difference >= params->count) {
        return 0;
    }
    return ear_divide_by_power(ear_multiply_high(scale.reciprocal, params->exps[difference]),
                               scale.shift + 31 - bits);
}
