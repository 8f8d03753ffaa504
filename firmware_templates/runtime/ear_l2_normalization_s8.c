#include "ear_kernels_functions.h"

#include "ear_requantize.h"

#define OUTPUT_BITS 7
#define NEWTON_STEPS 5
#define HALF_SQRT_2 1518500250 /* Q0.31 */

typedef struct {
    int32_t multiplier;
    int32_t shift;
} factor_t;

/* x * 2^bits, saturated. */
static int32_t shift_left(int32_t x, int32_t bits)
{
    const int64_t wide = (int64_t)x * (1 << bits);
    return wide > INT32_MAX ? INT32_MAX : wide < INT32_MIN ? INT32_MIN : (int32_t)wide;
}

/* 1 / sqrt(x) for x in [1/4, 1), Q3.28; from the guess 1. */
static int32_t newton(int32_t x)
{
    const int32_t half = ear_divide_by_power(x, 1);
    const int32_t half_three = 3 << 27;
    int32_t root = 1 << 28;
    for (int32_t step = 0; step < NEWTON_STEPS; ++step) {
        const int32_t square = ear_multiply_high(root, root);
        const int32_t cube = shift_left(ear_multiply_high(square, root), 6);
        root = shift_left(ear_multiply_high(half_three, root) - ear_multiply_high(half, cube), 3);
    }
    return root;
}

/* 1 / sqrt(x); a row of zeros is taken for one of length 1. */
static factor_t inverse_sqrt(int32_t x)
{
    factor_t factor = {INT32_MAX, 0};
    if (x <= 1) {
        return factor;
    }
    int32_t right = 11;
    for (; x >= 1 << 29; x /= 4) {
        ++right;
    }
    for (; x < 1 << 27; x *= 4) {
        --right;
    }
    factor.multiplier = ear_multiply_high(newton(x >> 1), HALF_SQRT_2);
    if (right < 0) {
        factor.multiplier = (int32_t)((uint32_t)factor.multiplier << -right);
        right = 0;
    }
    factor.shift = -right;
    return factor;
}

void ear_l2_normalization_s8(const ear_l2_normalization_t *params, const int8_t *input,
                             int8_t *output)
{
    const int32_t depth = params->depth;
    for (int32_t row = 0; row < params->rows; ++row, input += depth, output += depth) {
        int32_t squares = 0;
        for (int32_t i = 0; i < depth; ++i) {
            const int32_t value = input[i] + params->input_offset;
            squares += value * value;
        }
        const factor_t factor = inverse_sqrt(squares);
        for (int32_t i = 0; i < depth; ++i) {
            output[i] = (int8_t)ear_scale_to(input[i] + params->input_offset, factor.multiplier,
                                             factor.shift + OUTPUT_BITS, 0, INT8_MIN, INT8_MAX);
        }
    }
}
