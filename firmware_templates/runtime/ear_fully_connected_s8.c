#include "ear_kernels.h"

#include "ear_dot_s8.h"
#include "ear_finish_s8.h"
#include "ear_requantize.h"

static inline int8_t finish(const ear_fully_connected_t *params, const ear_scales_t *scales,
                     const int32_t *bias, int32_t unit, int32_t sum)
{
    return ear_finish_s8(scales, bias, unit, sum, params->output_offset, params->output_min,
                         params->output_max);
}

/* What a filter with a zero point adds to every sum of one row. */
static int32_t filter_offset_sum(const ear_fully_connected_t *params, const int8_t *input)
{
    int32_t sum = 0;
    if (params->filter_offset != 0) {
        for (int32_t i = 0; i < params->depth; ++i) {
            sum += input[i] + params->input_offset;
        }
    }
    return sum * params->filter_offset;
}

void ear_fully_connected_s8(const ear_fully_connected_t *params, const ear_scales_t *scales,
                            const int8_t *input, const int8_t *filter, const int32_t *bias,
                            int8_t *output)
{
    const int32_t depth = params->depth;
    for (int32_t row = 0; row < params->rows; ++row) {
        const int32_t common = filter_offset_sum(params, input);
        int32_t unit = 0;
        for (; unit + 4 <= params->units; unit += 4) {
            int32_t sums[4] = {common, common, common, common};
            ear_dot4_s8(input, params->input_offset, filter + unit * depth, depth, depth, sums);
            for (int32_t i = 0; i < 4; ++i) {
                output[unit + i] = finish(params, scales, bias, unit + i, sums[i]);
            }
        }
        for (; unit < params->units; ++unit) {
            const int32_t sum =
                ear_dot_s8(input, params->input_offset, filter + unit * depth, depth);
            output[unit] = finish(params, scales, bias, unit, common + sum);
        }
        input += depth;
        output += params->units;
    }
}
