#include "ear_kernels.h"

#include "ear_broadcast.h"
#include "ear_dsp.h"
#include "ear_requantize.h"

/* Bits added below the point before both inputs are brought to one scale. */
#define EXTRA_BITS 20
#define HALF (1 << 30)             /* the factor 1/2 of the input with the larger scale */
#define MOST_OUTPUT_SHIFT_RIGHT 20 /* the zero point fits below it */

#if EAR_DSP
#define MULTIPLY_TOP ear_dsp_multiply_high
#else
#define MULTIPLY_TOP ear_multiply_top
#endif

/* The sum as the reference has it, for any factors. */
static void any_sums(const ear_add_t *params, const ear_broadcast_t *shape, const int8_t *input1,
                     const int8_t *input2, int8_t *output)
{
    EAR_FOR_EACH_PAIR(shape, i, j) {
        const int32_t value1 = (input1[i] + params->input1_offset) * (1 << EXTRA_BITS);
        const int32_t value2 = (input2[j] + params->input2_offset) * (1 << EXTRA_BITS);
        const int32_t scaled1 =
            ear_scale_down(value1, params->input1_multiplier, params->input1_shift);
        const int32_t scaled2 =
            ear_scale_down(value2, params->input2_multiplier, params->input2_shift);
        *output++ = (int8_t)ear_scale_to(
            scaled1 + params->sign * scaled2, params->output_multiplier, params->output_shift,
            params->output_offset, params->output_min, params->output_max);
    }
}

void ear_add_s8(const ear_add_t *params, const ear_broadcast_t *shape, const int8_t *input1,
                const int8_t *input2, int8_t *output)
{
    /* One input has the larger scale, so that its factor is 1/2 and takes no rounding. */
    const bool first = params->input1_multiplier == HALF && params->input1_shift == 0;
    const bool second = params->input2_multiplier == HALF && params->input2_shift == 0;
    const int32_t right = -params->output_shift;
    if ((!first && !second) || right < 1 || right > MOST_OUTPUT_SHIFT_RIGHT) {
        any_sums(params, shape, input1, input2, output);
        return;
    }
    const int32_t offset = first ? params->input2_offset : params->input1_offset;
    const int32_t sign = first ? params->sign : 1;
    const int32_t multiplier = first ? params->input2_multiplier : params->input1_multiplier;
    const int32_t down = first ? -params->input2_shift : -params->input1_shift;
    const int32_t away = down > 0 ? -1 : 0; /* halves are rounded away from zero, if there are any */
    const int32_t nudge = down > 0 ? (int32_t)(1u << (down - 1)) : 0;
    const int32_t half_one = (first ? 1 : params->sign) * (1 << EXTRA_BITS);
    const int32_t half_offset = half_one * (first ? params->input1_offset : params->input2_offset);
    const int32_t end = params->output_offset * (1 << right) + (1 << (right - 1));
    const int32_t output_multiplier = params->output_multiplier;
    const int32_t low = params->output_min;
    const int32_t high = params->output_max;
    EAR_FOR_EACH_PAIR(shape, i, j) {
        const int32_t one = first ? input1[i] : input2[j];
        const int32_t other = first ? input2[j] : input1[i];
        /* MULTIPLY_TOP of 2 x is ear_multiply_high of x: all stays below 2^30. */
        const int32_t by = MULTIPLY_TOP((other + offset) * (2 << EXTRA_BITS), multiplier);
        const int32_t scaled = (by + ((by >> 31) & away) + nudge) >> down;
        const int32_t twice = one * half_one + half_offset + 2 * scaled * sign;
        const int32_t top = MULTIPLY_TOP(twice, output_multiplier);
        *output++ = (int8_t)ear_clamp((top + (top >> 31) + end) >> right, low, high);
    }
}
