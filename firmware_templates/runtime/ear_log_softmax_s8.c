#include "ear_kernels_functions.h"

#include "ear_requantize.h"
#include "ear_softmax.h"

/* Constants of the logarithm in Q0.31; c is the fourth root of 2. */
#define LOG_2 1488522236
#define SQRT_HALF 1518500250
#define FOURTH_ROOT_HALF 1805811301
#define ALPHA_N 117049297  /* 11/240 c */
#define ALPHA_D 127690142  /* c / 20 */
#define ALPHA_I 1057819769 /* 2 / c - c */
#define ALPHA_F 638450708  /* c / 4 */

#define SUM_INTEGER_BITS 12 /* of the sum of exponentials */
#define POWER_BITS 25       /* below the point, of powers of two */
#define OUTPUT_BITS 22      /* from Q5.26 to an output in steps of 1/16 */

/* x * 2^bits for x >= 0, saturated. */
static int32_t shift_left(int32_t x, int32_t bits)
{
    const int64_t wide = (int64_t)x * ((int64_t)1 << bits);
    return wide > INT32_MAX ? INT32_MAX : (int32_t)wide;
}

/* log(r * c) for r near 1 / c, Q0.31: a quotient of polynomials. */
static int32_t log_near_root(int32_t r)
{
    const int32_t p = (int32_t)(((int64_t)r + FOURTH_ROOT_HALF + 1) / 2);
    const int32_t q = 2 * (r - FOURTH_ROOT_HALF);
    const int32_t square = ear_multiply_high(q, q);
    const int32_t above = ear_multiply_high(q, r) +
                          ear_multiply_high(ear_multiply_high(q, square), ALPHA_N);
    const int32_t inner = ALPHA_I + q + ear_multiply_high(ALPHA_D, square);
    const int32_t below = ear_multiply_high(p, inner) + ear_multiply_high(ALPHA_F, q);
    /* Down to 6 integer bits, which the sum with the power's part has. */
    return ear_multiply_high(ear_divide_by_power(above, 6), ear_one_over_one_plus(below));
}

/* log(x) in Q5.26 for x >= 1 in Q12.19: x is 2^power * r, with r in [sqrt(1/2), 1] both as it is
 * and times sqrt(1/2), of which the smaller r is taken. */
static int32_t log_of(int32_t x)
{
    const int32_t quarter = 1 << (POWER_BITS - 2);
    const int32_t zeros = ear_leading_zeros((uint32_t)x);
    const int32_t whole = (int32_t)((uint32_t)x << (zeros - 1));
    const int32_t r = shift_left(ear_multiply_high(whole, SQRT_HALF), 1);
    const int32_t power = (SUM_INTEGER_BITS - zeros) * (1 << POWER_BITS) + quarter;
    const int32_t other_zeros = ear_leading_zeros((uint32_t)ear_multiply_high(x, SQRT_HALF)) - 1;
    const int32_t other_r = shift_left(x, other_zeros);
    const int32_t other_power = (SUM_INTEGER_BITS - other_zeros) * (1 << POWER_BITS) - quarter;
    const int32_t sum = ear_multiply_high(power > other_power ? power : other_power, LOG_2) +
                        log_near_root(r < other_r ? r : other_r);
    return sum >= 1 << 30 ? INT32_MAX : 2 * sum;
}

static void row_of(const ear_log_softmax_t *params, const int8_t *input, int8_t *output)
{
    const int8_t largest = ear_softmax_largest(input, params->depth);
    int32_t sum = 0;
    for (int32_t i = 0; i < params->depth; ++i) {
        if (largest - input[i] < params->count) {
            sum += ear_divide_by_power(params->exps[largest - input[i]], SUM_INTEGER_BITS);
        }
    }
    const int32_t log_sum = log_of(sum);
    /* Differences to the largest input that do not leave the range of Q5.26. */
    const int32_t reach =
        ear_scale(log_sum + INT32_MIN, params->back_multiplier, params->back_shift);
    const int32_t least = reach > -params->count ? reach : -params->count;
    for (int32_t i = 0; i < params->depth; ++i) {
        const int32_t difference = input[i] - largest;
        int32_t value = INT8_MIN;
        if (difference > least) {
            const int32_t scaled = ear_scale(difference, params->multiplier, params->shift);
            const int32_t logarithm = (int32_t)((uint32_t)scaled - (uint32_t)log_sum);
            value = ear_divide_by_power(logarithm, OUTPUT_BITS) + INT8_MAX;
        }
        output[i] = (int8_t)ear_clamp(value, INT8_MIN, INT8_MAX);
    }
}

void ear_log_softmax_s8(const ear_log_softmax_t *params, const int8_t *input, int8_t *output)
{
    for (int32_t row = 0; row < params->rows; ++row) {
        row_of(params, input + row * params->depth, output + row * params->depth);
    }
}
